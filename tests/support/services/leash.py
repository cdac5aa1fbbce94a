"""Become a command that dies with the process that started it, even if that one is killed with -9.

    python leash.py DEATH_SIGNAL PARENT_PID USER COMMAND...

It is a program of its own because the wish must be made inside the child, after its user is set (a
change of user takes the wish back), and Python forbids running code between fork and exec where
threads are about.
"""

import ctypes
import os
import pwd
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    death_signal, parent, user, *command = sys.argv[1:]
    if user:
        become(pwd.getpwnam(user))
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(death_signal))
    if os.getppid() != int(parent):  # it died before the wish was made
        sys.exit("the process this one should serve has ended")
    os.execvp(command[0], command)


def become(user: pwd.struct_passwd) -> None:
    os.setgroups([])
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)


if __name__ == "__main__":
    main()
