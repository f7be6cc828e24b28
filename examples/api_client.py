"""Ask a collection over HTTP, with nothing but httpx: index it, find the pictures like one, judge, and teach.

Run `lookalike serve photos --no-open`, which prints http://127.0.0.1:8431/#t=TOKEN, and then
`python examples/api_client.py http://127.0.0.1:8431 TOKEN`.
"""

import sys
import time

import httpx

server, token = sys.argv[1:3]
api = httpx.Client(base_url=f"{server}/api", headers={"Authorization": f"Bearer {token}"}, timeout=60)
c = f"/c/{api.get('/session').raise_for_status().json()['collections'][0]['id']}"


def run(**asked):
    job = api.post(f"{c}/jobs", json=asked).raise_for_status().json()
    while job["state"] == "running":
        time.sleep(0.2)
        job = api.get(f"{c}/jobs/{job['id']}").raise_for_status().json()
    return job["result"] or job["error"]


print(run(do="index"))
first, *_ = api.get(f"{c}/pictures", params={"limit": 1}).raise_for_status().json()["pictures"]
found = api.post(f"{c}/search", json={"positive": [{"id": first["id"]}], "k": 4, "others": True}).raise_for_status()
for hit in found.json()["hits"]:
    print(f"{hit['similarity']:.3f}  {hit['file']}")
said = {"query": first["id"], "yes": [found.json()["hits"][0]["id"]]}
print(api.post(f"{c}/judgements", json=said).raise_for_status().json())
print(run(do="learn", source="judgements", name="taught", replace=True))
