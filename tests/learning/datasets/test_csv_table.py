"""CSVs -> examples, by value, as spreadsheets spell them; and the one line that a wrong one gets."""

import pytest
from support.on_disk import error, groups, put, table

from lookalike.errors import ExamplesError
from lookalike.learning.datasets.readers import read

ONE = 'file,label\na.jpg,x\nb.jpg,x\nc.jpg,y\n"d, e.jpg",y\n'


@pytest.mark.parametrize(
    "text",
    [
        ONE,
        "\ufeff" + ONE,
        ONE.replace("\n", "\r\n"),
        "FILE , Label\n" + ONE.partition("\n")[2],
        "id;label;file\n1;x;a.jpg\n2;x;b.jpg\n3;y;c.jpg\n4;y;d, e.jpg\n",
        "sep=;\nfile;label\na.jpg;x\nb.jpg;x\nc.jpg;y\nd, e.jpg;y\n",
        "file\tlabel\tnote\na.jpg\tx\t\nb.jpg\tx\tgood, very; good\nc.jpg\ty\nd, e.jpg\ty\n",
        "\n\n" + ONE + "\n\n",
        ONE.replace("a.jpg,", "./a.jpg, ").replace("b.jpg", '"b.jpg"'),
        ONE.rstrip("\n"),
    ],
    ids=["plain", "bom", "crlf", "case", "semicolon", "sep", "tab", "blank", "quotes", "no end"],
)
def test_a_csv_may_be_spelled_as_spreadsheets_spell_it(tmp_path, text):
    put(tmp_path, "a.jpg", "b.jpg", "c.jpg", "d, e.jpg")
    examples = read(table(tmp_path, text))
    assert [path.name for path in examples.paths] == ["a.jpg", "b.jpg", "c.jpg", "d, e.jpg"]
    assert (examples.labels.tolist(), examples.label_names) == ([0, 0, 1, 1], ("x", "y"))
    assert examples.notes == ("labels: 2 labels with 4 pictures",)


def test_paths_are_tried_from_the_csv_then_from_the_collection_and_may_be_absolute(tmp_path):
    put(tmp_path / "photos", "1.jpg", "2.jpg", "sub/3.jpg", "4.jpg")
    put(tmp_path / "lists", "1.jpg")
    absolute = tmp_path / "photos/4.jpg"
    path = table(tmp_path / "lists", f"a,b\n1.jpg,2.jpg\nsub\\3.jpg,{absolute}\n")
    examples = read(path, folder=tmp_path / "photos")
    assert groups(examples, tmp_path) == {
        frozenset({"lists/1.jpg", "photos/2.jpg"}),
        frozenset({"photos/sub/3.jpg", "photos/4.jpg"}),
    }


@pytest.mark.parametrize(
    ("text", "options", "line"),
    [
        ("", {}, "empty. Expected a CSV whose first line is anchor,positive,negative or a,b or file,label."),
        ("a,b\n1.jpg,1.jpg\n", {"as_": "views"}, "names 1 picture; expected two or more. Add lines."),
        (
            "photo;kind\n1.jpg;x\n",
            {},
            "found columns photo, kind; expected anchor,positive,negative or a,b or file,label. Nearest: file,label "
            "(or a,b). Name the columns so in the first line.",
        ),
        (
            "1.jpg,2.jpg,0.73\n2.jpg,3.jpg,0.1\n",
            {},
            "found columns 1.jpg, 2.jpg, 0.73; expected anchor,positive,negative or a,b or file,label. Nearest: "
            "anchor,positive,negative. Name the columns so in the first line.",
        ),
        (
            "1.jpg,x\n2.jpg,3.jpg\n",
            {},
            "found columns 1.jpg, x; expected anchor,positive,negative or a,b or file,label. Nearest: file,label "
            "(or a,b). Name the columns so in the first line.",
        ),
        (
            b"PK\x03\x04\x14\0",
            {},
            "found a workbook (.xlsx, .ods) or another archive; expected a CSV. Save it as CSV UTF-8, then try again.",
        ),
        (b"PAR1\x15\0", {}, "found Parquet; expected a CSV. Save it as CSV UTF-8, then try again."),
        ('[{"file": "1.jpg"}]\n', {}, "found JSON; expected a CSV. Write it as a CSV: file,label or a,b."),
        ("a,b\n", {}, "found no lines of pairs below the first; expected one for each. Add some."),
        (
            "a,b\n1.jpg,2.jpg\n2.jpg,3.jpg\n",
            {},
            "found 2 pairs that join into one group of 3, with nothing to tell it from; expected two or more groups. "
            "Nearest: triplets, which do not join. Add pairs of other pictures, or give anchor,positive,negative.",
        ),
        (
            "file,label\n1.jpg,x\n2.jpg,x\n3.jpg,y\n",
            {},
            "found 2 labels, 1 of them with one picture; expected two or more labels of two or more pictures. Nearest: "
            "views. Say --as views to take every picture by itself, or add lines.",
        ),
        (
            "a,b\n1.jpg,2.jpg\n",
            {"as_": "classes"},
            "a table of pairs, which --as classes cannot be. Leave out --as classes.",
        ),
        (
            "file,label\n1.jpg,x\n",
            {"as_": "sides"},
            "a table of labels, which --as sides cannot be. Leave out --as sides.",
        ),
        (
            "file,label\n1.jpg,x\n2.jpg,x\ncaf\xe9.jpg,y\n".encode("latin-1"),
            {},
            "line 4 is not UTF-8. Save it as UTF-8 (in Excel: CSV UTF-8), then try again.",
        ),
        (
            "file,label\n".encode("utf-16"),
            {},
            "found no lines of labels below the first; expected one for each. Add some.",
        ),
        (b"\0\1\2\n", {}, "not a text file. Give a folder of pictures, or a CSV."),
        (b"x" * 200_000, {}, "not a text file. Give a folder of pictures, or a CSV."),
        (
            'a,b\n"1.jpg,2.jpg\n' + "1.jpg,2.jpg\n" * 20_000,
            {},
            "field larger than field limit (131072) near line 10924. Look for a quote that is open.",
        ),
        (
            'a,b\n"1.png,2.png\n3.png,4.png\n',
            {},
            "unexpected end of data near line 3. Look for a quote that is open.",
        ),
    ],
)
def test_a_wrong_csv_gets_one_line(tmp_path, text, options, line):
    put(tmp_path, "1.jpg", "2.jpg", "3.jpg")
    assert error(table(tmp_path, text), **options) == line


def test_a_csv_of_judgements_is_sent_to_judge(tmp_path):
    with pytest.raises(ExamplesError, match=r"lookalike judge FOLDER --from some\.csv"):
        read(table(tmp_path, "query,yes,no\n1.jpg,2.jpg,3.jpg\n", "some.csv"))


@pytest.mark.parametrize(
    ("encoding", "name"), [("cp949", "사과"), ("cp932", "りんご"), ("cp1252", "café"), ("cp1252", "ÄÖ")]
)
def test_an_older_encoding_is_known_by_the_files_that_it_names(tmp_path, encoding, name):
    put(tmp_path, *(f"{name}_{i}.jpg" for i in range(4)))
    text = "file,label\n" + "".join(f"{name}_{i}.jpg,{name} {i // 2}\n" for i in range(4))
    found = read(table(tmp_path, text.encode(encoding)))
    assert (found.labels.tolist(), found.label_names) == ([0, 0, 1, 1], (f"{name} 0", f"{name} 1"))
    assert f"examples.csv is not UTF-8; read as {encoding}" in found.notes


def test_labels_alone_tell_an_encoding_only_where_no_other_could_be(tmp_path):
    put(tmp_path, *(f"{i}.jpg" for i in range(4)))
    lines = "file,label\n0.jpg,{0}\n1.jpg,{0}\n2.jpg,b\n3.jpg,b\n"
    assert read(table(tmp_path, lines.format("café").encode("cp1252"))).label_names == ("café", "b")
    for label, encoding in [("사과", "cp949"), ("Äpfel", "cp1252")]:  # both read as something else elsewhere
        line = "line 2 is not UTF-8. Save it as UTF-8 (in Excel: CSV UTF-8), then try again."
        assert error(table(tmp_path, lines.format(label).encode(encoding))) == line
