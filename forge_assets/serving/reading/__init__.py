"""Read what a question says: language, countries, kind of change and facts, by rules that the pack's wordings give."""
