"""Answer questions with the model that was made: the guard, the server, and what is said of every answer."""
