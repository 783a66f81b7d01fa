"""The inbox: one screen to run a crew from, on Textual. `app.py` draws and hears keys; what is drawn is decided without it.

spans     a line as pieces of text with styles: cut, wrapped, filled
ansi      a worker's screen with its colours, as such lines
desk      what the inbox shows and what is chosen in it; pure
rows      the list of tasks as lines
pages     what stands beside the list: question, plan, diff, events, result
typed     a line that a person types
help      the keys, and what they do
paint     all of it as the lines of one screen, and what is where on it
feed      threads that read tasks and pages, and tell
acts      what a key does to tasks: verbs of the API, their outcome in one line
events    an event as a line
screen    the pieces of Textual that it is made of
view      the Textual app: drawn, moved in, read
app       the same with what keys do to tasks
attach    the terminal handed to a worker's window, and back
"""
