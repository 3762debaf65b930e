"""Exhibits: agreements and descriptions of systems that a question brings with it, and what an answer says of them."""
