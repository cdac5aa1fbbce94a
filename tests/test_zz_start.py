import signal, time
from tests.running import *
def test_starts(install):
    place = install()
    for i in range(14):
        t=time.monotonic(); r=place.run("consume")
        try: place.begun(r, timeout=45); print("begun", round(time.monotonic()-t,1), len(r.said("partition begun")), sum("No partition metadata" in str(l) for l in r.lines), flush=True)
        except AssertionError: print("NOT", flush=True)
        r.end(signal.SIGTERM if i%2 else signal.SIGTERM)
