"""Answers: verified verdicts, replayed traces, findings, walks."""
