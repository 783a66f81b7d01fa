"""What can be decided without files, clock, tmux or processes: tasks, plans, states, the queue, delivery steps, texts."""
