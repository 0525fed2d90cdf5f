"""The lie detector at scale: 10^8 deliveries under random stalls, rates, policies, framings and kills, each held against a
reference stream. TICKCAST_TRUTH sets another number. It ends as soon as there are enough; the bound on time is generous, since what
is asserted is truth, not speed."""
import json, os
from cli import run
from rig import Server

ENOUGH = int(os.environ.get("TICKCAST_TRUTH", 100_000_000))
SECONDS_MOST = 400


def test_a_hundred_million_deliveries_hold_no_lie():
    with Server(feed="sim:?symbols=200&rate=20000&seed=3") as server:
        server.wait_metric("symbols", lambda n: n == 200)
        done = run("bench", "--url", f"ws://127.0.0.1:{server.port}", "--connections", "200", "--mix", "--kill", "100", "--stall", "10",
                   "--churn", "4", "--slow", "3", "--stuck", "2", "--verify", "--enough", str(ENOUGH), "--duration",
                   str(SECONDS_MOST), "--json", "-", seconds=SECONDS_MOST + 120)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr
        r = json.loads(done.stdout)
        v, n = r["verified"], r["readers"]
        print(f"\nverified {v['ticks']} deliveries and {v['conflated']} conflated ticks in {v['frames']} frames, {r['seconds']:.0f} s; "
              f"{n['kills']} kills, {n['resumes']} resumes ({n['resume_gaps']} with a gap), {n['stalls']} stalls, {n['gaps']} gaps; "
              f"{v['unverified']} frames unverified, {v['lies']} lies")
        assert v["lies"] == 0 and n["broken"] == 0 and n["lost"] == 0
        assert v["ticks"] >= ENOUGH
        assert n["kills"] > ENOUGH / 100_000 and n["resumes"] > ENOUGH / 1_000_000  # a thousand kills at full size
        assert v["unverified"] * 100 < v["frames"], "the reference could not keep up: too little was verified"
