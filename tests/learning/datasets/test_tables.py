"""Tables -> examples, by value: triplets, pairs and labels, what is left out, and what is told of it."""

import time

from support.on_disk import error, groups, put, table, triplets

from lookalike.learning.datasets.readers import read


def test_a_csv_of_triplets(tmp_path):
    put(tmp_path, "1.jpg", "2.jpg", "sub/3.jpg", "4.jpg")
    text = "anchor,positive,negative\n2.jpg,1.jpg,sub/3.jpg\n1.jpg,2.jpg,4.jpg\n2.jpg,1.jpg,sub/3.jpg\n"
    examples = read(table(tmp_path, text))
    assert examples.layout == "triplets"
    assert triplets(examples) == [("2.jpg", "1.jpg", "3.jpg"), ("1.jpg", "2.jpg", "4.jpg")]
    assert examples.labels.tolist() == [-1] * 4
    assert examples.notes == ("triplets: 2 triplets of 4 pictures",)


def test_a_csv_of_pairs_joins_transitively(tmp_path):
    put(tmp_path, *(f"{i}.jpg" for i in range(7)))
    examples = read(table(tmp_path, "a,b\n0.jpg,1.jpg\n2.jpg,1.jpg\n1.jpg,0.jpg\n4.jpg,5.jpg\n"))
    assert examples.layout == "pairs"
    assert groups(examples, tmp_path) == {frozenset({"0.jpg", "1.jpg", "2.jpg"}), frozenset({"4.jpg", "5.jpg"})}
    assert (examples.triplets, examples.domains) == (None, None)
    assert examples.notes == ("pairs: 3 pairs, which join 5 pictures into 2 groups",)


def test_a_csv_of_labels(tmp_path):
    put(tmp_path, *(f"{i}.jpg" for i in range(5)))
    text = "file,label\n3.jpg,red\n1.jpg, blue \n0.jpg,red\n2.jpg,blue\n4.jpg,Red\n"
    examples = read(table(tmp_path, text))
    assert examples.layout == "labels"
    assert [path.name for path in examples.paths] == ["3.jpg", "1.jpg", "0.jpg", "2.jpg", "4.jpg"]
    assert examples.labels.tolist() == [0, 1, 0, 1, 2]
    assert examples.label_names == ("red", "blue", "Red")
    assert "1 label with one picture, which is only told apart: Red" in examples.notes


def test_one_file_by_two_names_is_one_row(tmp_path):
    put(tmp_path, "1.jpg", "2.jpg", "sub/3.jpg", "4.jpg", "5.jpg", "6.jpg")
    (tmp_path / "link.jpg").symlink_to("1.jpg")
    (tmp_path / "other").symlink_to("sub")
    text = "a,b\n1.jpg,2.jpg\nlink.jpg,./4.jpg\nsub/3.jpg,other/3.jpg\n5.jpg,6.jpg\n"
    examples = read(table(tmp_path, text))
    assert groups(examples, tmp_path) == {frozenset({"1.jpg", "2.jpg", "4.jpg"}), frozenset({"5.jpg", "6.jpg"})}
    assert "left out: 1 pair of a picture with itself" in examples.notes


def test_what_is_missing_empty_or_contradicts_itself_is_counted_and_named(tmp_path):
    put(tmp_path, *(f"{i}.jpg" for i in range(8)))
    text = "file,label\n0.jpg,x\n1.jpg,x\n2.jpg,y\n3.jpg,y\n4.jpg,\n5.jpg\n6.jpg,x\n6.jpg,y\n8.jpg,x\n"
    examples = read(table(tmp_path, text))
    assert examples.labels.tolist() == [0, 0, 1, 1]
    assert examples.notes == (
        "labels: 2 labels with 4 pictures",
        "left out: 2 lines with an empty cell: line 6, 7",
        f"left out: 1 of 6 files, not found in {tmp_path}: 8.jpg",
        "left out: 1 picture with several labels: 6.jpg",
    )


def test_a_triplet_that_lacks_a_file_or_names_one_twice_is_left_out(tmp_path):
    put(tmp_path, "1.jpg", "2.jpg", "3.jpg")
    text = "anchor,positive,negative\n1.jpg,2.jpg,3.jpg\n1.jpg,1.jpg,3.jpg\n1.jpg,2.jpg,gone.jpg\n3.jpg,2.jpg,3.jpg\n"
    examples = read(table(tmp_path, text))
    assert triplets(examples) == [("1.jpg", "2.jpg", "3.jpg")]
    assert "left out: 2 triplets with one picture twice" in examples.notes


def test_as_views_takes_every_file_that_a_csv_names_by_itself(tmp_path):
    put(tmp_path, "1.jpg", "2.jpg")
    examples = read(table(tmp_path, "a,b\n1.jpg,2.jpg\n"), as_="views")
    assert examples.views
    assert examples.labels.tolist() == [0, 1]


def test_more_than_half_missing_is_an_error_that_says_where_it_looked(tmp_path):
    put(tmp_path, "1.jpg", "2.jpg")
    assert error(table(tmp_path, "a,b\n1.jpg,2.jpg\n3.jpg,4.jpg\n../5.jpg,x/\n"), folder=tmp_path / "photos") == (
        f"found 2 of 6 files that it names, looking in {tmp_path} and {tmp_path / 'photos'}; expected more than half. "
        "Missing: 3.jpg, 4.jpg, ../5.jpg and 1 more. Move the CSV beside its pictures, or mend its paths."
    )


def test_half_missing_is_read(tmp_path):
    put(tmp_path, *(f"{i}.jpg" for i in range(4)))
    assert len(read(table(tmp_path, "a,b\n0.jpg,1.jpg\n2.jpg,3.jpg\n4.jpg,5.jpg\n6.jpg,7.jpg\n")).paths) == 4


def test_names_that_no_file_can_have_are_missing_files(tmp_path):
    put(tmp_path, *(f"{i}.jpg" for i in range(4)))
    path = table(tmp_path, f"a,b\n0.jpg,1.jpg\n2.jpg,3.jpg\n{'x' * 5000}.jpg,nul\0.jpg\n.,0.jpg\n")
    examples = read(path)
    assert len(examples.paths) == 4
    assert any(line.startswith("left out: 3 of 7 files, not found in") for line in examples.notes)


def test_a_million_lines_are_read_in_seconds(tmp_path):
    """The bound leaves room for slow and busy machines."""
    put(tmp_path, *(f"{i}.jpg" for i in range(1000)))
    lines = [f"{i % 1000}.jpg,{i * 7 % 1000}.jpg,{(i // 1000 + i) % 1000}.jpg\n" for i in range(1_000_000)]
    path = table(tmp_path, "anchor,positive,negative\n" + "".join(lines))
    start = time.process_time()
    examples = read(path)
    assert time.process_time() - start < 30
    assert len(examples.paths) == 1000


def test_triplets_that_say_the_opposite_of_one_another_are_counted(tmp_path):
    put(tmp_path, "1.jpg", "2.jpg", "3.jpg")
    lines = ["anchor,positive,negative", "1.jpg,2.jpg,3.jpg", "1.jpg,3.jpg,2.jpg", "2.jpg,1.jpg,3.jpg"]
    found = read(table(tmp_path, "\n".join(lines)))
    assert any("1 pair of triplets say the opposite of one another" in note for note in found.notes)


def test_columns_without_names_are_known_by_what_is_in_them(tmp_path):
    put(tmp_path, *(f"{i}.JPG" for i in range(6)))
    three = read(table(tmp_path, "0.JPG,1.JPG,2.JPG\n1.JPG,0.JPG,3.JPG\n"))
    assert triplets(three) == [("0.JPG", "1.JPG", "2.JPG"), ("1.JPG", "0.JPG", "3.JPG")]
    assert "columns without names, read as anchor,positive,negative" in three.notes
    pairs = {frozenset({"0.JPG", "1.JPG"}), frozenset({"2.JPG", "3.JPG"})}
    assert groups(read(table(tmp_path, "0.JPG;1.JPG\n2.JPG;3.JPG\n")), tmp_path) == pairs
    answered = read(table(tmp_path, "0.JPG,1.JPG,yes\n2.JPG,3.JPG,yes\n1.JPG,2.JPG,no\n"))
    assert groups(answered, tmp_path) == pairs
    assert "columns without names, read as a,b,yes or no" in answered.notes
    assert "1 pair that the CSV says no to, which join nothing" in answered.notes
    labels = read(table(tmp_path, "0.JPG\tx\n1.JPG\tx\n2.JPG\t1\n3.JPG\t1\n"))
    assert (groups(labels, tmp_path), labels.label_names) == (pairs, ("x", "1"))
