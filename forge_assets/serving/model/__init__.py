"""Run the model: llama.cpp's server in a process of its own, its guard proven before anything is asked."""
