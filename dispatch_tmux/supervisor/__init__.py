"""The one process that watches the workers of a project and acts on them. Imports all below, never verbs or cli.

loop          the one thread: takes what tmux, files and the clock tell; puts the pieces together
session       a project's tmux session with the supervisor beside it: found, or started
sandbox       whether we are in one that ends with the command, and may start nothing
crew          the workers that are supervised: taken up, let go
windows       which pane is whose
drawing       which screens have come to rest, and are to be read

worker        one worker: what is seen of it, written down, and due
sight         seen: its pane, its screen, and since when it shows that
told          seen: what its CLI tells by hooks, titles and the record of its session
dialogues     seen: the dialogues on its screen, which become questions
record        written down: the journal, and what is new in the worker's files
notes         written down: a person's notes, put back where a worker overwrites them
halt          seen: whether its program is stopped
due           due: a reminder, a late answer, another attempt, a stop; and when to look again
running_time  how long it has run

actions       takes in hand what is asked of a worker, and what is due
conversation  carries out what lies in a worker's inbox
answer        how an answer reaches a dialogue: a hook, a door, keys
press         the keys of an answer: which steps it takes
steps         one step of it: press, look, stop at a surprise
message       how a message reaches a worker
deliver       types a message into its pane, with proof
target        the pane that is typed into

queue         whose turn it is to start
checkout      a worker's git worktree
beginning     how the checkout is that a task without one begins in
launcher      starts an attempt: its prompt, its window
launch        runs in that window, and becomes the agent CLI
retry         a task begins again

notify        tells the person when nobody looks: who has not been told of what
messenger     brings one message to one receiver
relay         runs in a process of its own, and sends one through Apprise

face          window 0: its face is begun when somebody looks, and ended when nobody does
status_line   what tmux's status line shows of the workers
terminal_log  a worker's raw output on disk
foreign       looks at the pane of an adopted CLI
"""
