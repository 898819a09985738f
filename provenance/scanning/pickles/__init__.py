"""A reader of pickles that runs nothing: it follows the stack and the memo and says what loading would do."""
