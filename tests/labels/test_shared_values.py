"""What many items share is worked out once."""

from fastlabel_gradio.labels.news import overruling
from fastlabel_gradio.labels.resolve import Opinions, opinions_after, opinions_of
from fastlabel_gradio.labels.shared_values import distinct, mapped, paired
from fastlabel_gradio.types import Said

ITEMS = [f"{number}.jpg" for number in range(100)]


def test_a_value_is_looked_at_once_for_all_items_that_share_it() -> None:
    one, other, asked = [1], [1], []
    values = {"a": one, "b": other, "c": one}
    assert [id(value) for value in distinct(values.values())] == [id(one), id(other)]
    assert mapped(values, lambda value: asked.append(value) or len(asked)) == {"a": 1, "b": 2, "c": 1}
    pairs: list[tuple[object, object]] = []
    given = {"c": "x", "d": "x", "a": "x"}
    assert paired(values, given, lambda *pair: pairs.append(pair) or len(pairs)) == {"c": 1, "d": 2, "a": 1}
    assert pairs == [(one, "x"), (None, "x")]
    pairs.clear()
    assert paired({}, given, lambda *pair: pairs.append(pair) or len(pairs)) == {"c": 1, "d": 1, "a": 1}
    assert pairs == [(None, "x")]


def test_second_opinions_of_many_items_are_one_object() -> None:
    events = [(item, who, 0, "label", "person", number) for number, who in enumerate(("ann", "bob")) for item in ITEMS]
    opinions = opinions_of(events)
    assert len(distinct(opinions.values())) == 1
    wanted = Said(1)
    news = overruling(dict.fromkeys(ITEMS, wanted), opinions, "bob", "search")
    after: dict[str, Opinions] = opinions_after(news, "bob", "search", opinions)
    assert (len(distinct(news.values())), len(distinct(after.values()))) == (1, 1)
    assert [one.annotator for one in after[ITEMS[0]]] == ["ann", "bob", "bob"]
