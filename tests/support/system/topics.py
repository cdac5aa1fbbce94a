"""Topics of a broker: emptied, deleted, made."""

from confluent_kafka import KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from tests.support.services.kafka import OwnBroker
from tests.support.system.installation import TOPICS
from tests.support.system.roles import wait_until


def empty_topics(broker: OwnBroker, partitions: int = 2) -> None:
    """Delete our topics and make them anew: a new topic id, and nothing in them."""
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    delete_topics(
        broker, *[name for name in admin.list_topics(timeout=10).topics if name in TOPICS]
    )
    make_topics(broker, *TOPICS, partitions=partitions)


def delete_topics(broker: OwnBroker, *names: str) -> None:
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    for done in (admin.delete_topics(list(names)) if names else {}).values():
        done.result(20)


def make_topics(broker: OwnBroker, *names: str, partitions: int = 2) -> None:
    """Two partitions are also what the broker makes by itself, where a consumer is quicker than
    we.
    """
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    for done in admin.create_topics([NewTopic(name, partitions, 1) for name in names]).values():
        try:
            done.result(20)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise
    wait_until(lambda: set(names) <= set(admin.list_topics(timeout=10).topics))


def delete_records(broker: OwnBroker, topic: str, partition: int, before: int) -> None:
    """As retention would, only at once."""
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    for done in admin.delete_records([TopicPartition(topic, partition, before)]).values():
        done.result(20)
