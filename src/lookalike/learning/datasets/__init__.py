"""Examples as people have them -> a Dataset: folders, tables, judgements."""
