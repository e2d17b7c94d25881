"""Training data: what is read, where a fault is said to be, and that the project's own has none."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlu.data import DataError, Example, data_hash, lint, read

YAML = """\
version: "3.1"
nlu:
  - intent: greet
    examples: |
      - 你好
      - 您好，在吗

      - [林老师](person)您好
  - lookup: room
    examples: |
      - 瑜伽室
  - intent: goodbye
    examples: |
      - 再见：走了
"""

#: The services of the main job have more voices to learn from.
MAIN = {"book_counseling", "book_room", "my_items", "withdraw", "reschedule", "status", "bind"} | {
    "cancel",
    "deny",
    "affirm",
    "help",
    "human",
    "crisis",
    "out_of_scope",
}


def put(folder: Path, name: str, content: str) -> Path:
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return path


def test_rasa_yaml_is_read_with_the_line_of_each_example(tmp_path):
    path = put(tmp_path, "a.yml", YAML)
    found = [(e.text, e.intent, e.line) for e in read(path)]
    assert found == [
        ("你好", "greet", 5),
        ("您好，在吗", "greet", 6),
        ("林老师您好", "greet", 8),
        ("再见：走了", "goodbye", 14),
    ]
    assert read(path)[0].place == f"{path}:5"


def test_rasa_examples_may_be_a_list(tmp_path):
    path = put(tmp_path, "a.yml", "nlu:\n- intent: greet\n  examples:\n  - text: |\n      你好\n  - 早\n")
    assert [(e.text, e.line) for e in read(path)] == [("你好", 5), ("早", 6)]


def test_jsonl_is_read(tmp_path):
    path = put(tmp_path, "a.jsonl", '{"text": "你好", "intent": "greet"}\n\n{"text": "拜", "intent": "goodbye"}\n')
    assert [(e.text, e.intent, e.line) for e in read(path)] == [("你好", "greet", 1), ("拜", "goodbye", 3)]


def test_a_folder_is_read_in_the_order_of_its_names(tmp_path):
    put(tmp_path, "b.jsonl", '{"text": "乙", "intent": "b"}')
    put(tmp_path, "a.yml", YAML)
    put(tmp_path, "notes.txt", "not data")
    assert [e.intent for e in read(tmp_path)] == ["greet", "greet", "greet", "goodbye", "b"]


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("a.yml", 'version: "3.1"\nnlu:\n  - intent: [', 3),
        ("a.yml", 'version: "9"\nnlu: []\n', 1),
        ("a.yml", "stories: []\n", 1),
        ("a.yml", "", 0),
        ("a.yml", "nlu:\n- intent: greet\n  examples: |\n    - 你好\n    早\n", 5),
        ("a.yml", "nlu:\n- intent: greet\n", 2),
        ("a.yml", "nlu:\n- 你好\n", 2),
        ("a.yml", "nlu:\n- intent: greet\n  examples:\n  - {a: b}\n", 4),
        ("a.jsonl", '{"text": "你好", "intent": "greet"}\n{', 2),
        ("a.jsonl", "[]\n", 1),
        ("a.jsonl", '{"text": 1, "intent": "greet"}\n', 1),
        ("a.jsonl", '{"text": "你好"}\n', 1),
    ],
)
def test_a_fault_names_its_file_and_line(tmp_path, name, content, line):
    path = put(tmp_path, name, content)
    with pytest.raises(DataError) as caught:
        read(path)
    assert str(caught.value).startswith(f"{path}:{line}: ")


def test_what_is_missing_or_no_text_is_a_data_error(tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        read(tmp_path / "nowhere.yml")
    with pytest.raises(DataError, match=r"no \.yml"):
        read(tmp_path)
    (tmp_path / "a.yml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="cannot be read"):
        read(tmp_path)


def test_the_linter_finds_each_kind_of_fault():
    examples = [
        Example(text="你好", intent="greet", file="a.yml", line=1),
        Example(text="你好！！", intent="goodbye", file="a.yml", line=2),
        Example(text="你好！", intent="goodbye", file="a.yml", line=3),
        Example(text="😀。", intent="greet", file="a.yml", line=4),
        Example(text="哎", intent="nonsense", file="a.yml", line=5),
    ]
    problems = lint(examples, {"greet", "goodbye"}, fewest=2)
    assert [problem.split(": ")[0] for problem in problems] == ["a.yml:5", "a.yml:4"]
    examples[0] = Example(text="你 好!", intent="greet", file="a.yml", line=1)
    examples[1] = Example(text="你 好！", intent="goodbye", file="a.yml", line=2)
    (problem,) = lint(examples[:2], {"greet", "goodbye"}, fewest=1)
    assert problem.startswith("a.yml:2: ")
    assert "a.yml:1" in problem
    assert lint(examples[:1], {"greet", "thanks"}, fewest=1) == [":0: thanks has 0 examples, at least 1 are wanted"]


@given(st.lists(st.tuples(st.text(max_size=5), st.sampled_from("ab")), max_size=6), st.randoms())
def test_the_hash_knows_texts_and_intents_but_not_their_order(pairs, random):
    examples = [Example(text=text, intent=intent) for text, intent in pairs]
    shuffled = [Example(text=e.text, intent=e.intent, file="x", line=7) for e in examples]
    random.shuffle(shuffled)
    assert data_hash(examples) == data_hash(shuffled)
    assert data_hash([*examples, Example(text="又", intent="a")]) != data_hash(examples)


def test_the_projects_own_data_is_sound(examples, intents):
    assert lint(examples, intents, fewest=25) == []


def test_each_intent_has_its_file(examples, intents):
    assert {e.intent for e in examples} == intents
    assert all(Path(e.file).stem == e.intent for e in examples)


@pytest.mark.parametrize("intent", sorted(MAIN))
def test_the_main_job_is_told_in_many_voices(examples, intent):
    assert sum(e.intent == intent for e in examples) >= 60
