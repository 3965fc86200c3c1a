"""Times pdfminer's reading of the pages of a PDF: `pdfminer_pages.py FILE RUNS` prints seconds, the median."""
import statistics
import sys
import time

from pdfminer.high_level import extract_pages

path, runs = sys.argv[1], int(sys.argv[2])
times = []
for _ in range(runs):
    start = time.perf_counter()
    for _ in extract_pages(path):
        pass
    times.append(time.perf_counter() - start)
print(statistics.median(times))
