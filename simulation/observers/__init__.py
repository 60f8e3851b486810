"""What watches a run: each observer holds one kind of promise against what happened."""
