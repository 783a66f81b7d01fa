from test_claude_dispatch import desk, Desk, echo
def test_probe(desk):
    at = desk(echo)
    id = at.at_rest()
    try:
        r = at.crew.run("send", id, "use JWT", ok=None)
        print(r)
    finally:
        print(at.crew.tell(id)); print(at.crew.store.requests(id)); print(at.heard())
        import subprocess
        print(subprocess.run(["ls","-laR",str(at.crew.dir(id))],capture_output=True,text=True).stdout)
        for w in at.crew.tmux("list-panes","-a","-F","#{pane_id} #{window_name}").lines:
            print(w); print(at.crew.tmux("capture-pane","-p","-t",w.split()[0]).text.strip())
    assert 0
