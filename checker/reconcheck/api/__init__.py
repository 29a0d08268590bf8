"""What Python programs and tests use: verification with typed answers, and the plugin for pytest."""
