// Prometheus metrics of an object storage server. Requests are counted as they end; everything else is read at each scrape.
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { ServedRequest } from '../../engine/s3/served-request.ts';
import type { ObjectServer } from './object-server.ts';

type Read = Pick<ObjectServer, 'lags' | 'scrubbed' | 'collected' | 'disk'>;

type Values = readonly (readonly [string, number])[];

/** Returns a function that counts a request. */
export function countRequests(registry: Registry): (served: ServedRequest) => void {
  const registers = [registry];
  const requests = new Counter({
    name: 'tidegate_objects_requests_total',
    help: "Requests of users, by operation and S3's code; OK means success",
    labelNames: ['operation', 'code'],
    registers,
  });
  const seconds = new Histogram({
    name: 'tidegate_objects_request_seconds',
    help: "Duration of users' requests, by operation",
    labelNames: ['operation'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60],
    registers,
  });
  const bytes = new Counter({
    name: 'tidegate_objects_bytes_total',
    help: "Bytes received or sent on users' connections",
    labelNames: ['direction'],
    registers,
  });
  return ({ operation, code, tookMs, receivedBytes, sentBytes }) => {
    requests.inc({ operation, code });
    seconds.observe({ operation }, tookMs / 1_000);
    bytes.inc({ direction: 'received' }, receivedBytes);
    bytes.inc({ direction: 'sent' }, sentBytes);
  };
}

export function addServerMetrics(registry: Registry, server: Read): void {
  const registers = [registry];
  const gauge = (name: string, help: string, label: string, read: (from: Read) => Promise<Values> | Values) =>
    new Gauge({
      ...{ name, help, labelNames: [label], registers },
      async collect() {
        // Unknown is not zero.
        const values: Values = await Promise.resolve(read(server)).catch(() => []);
        this.reset();
        for (const [of, value] of values) this.set({ [label]: of }, value);
      },
    });
  gauge(
    'tidegate_objects_behind_partitions',
    'Partitions of which another cluster, by its number, has changes that this one lacks; no sample if unknown',
    'cluster',
    (from) =>
      [...from.lags()].flatMap(([cluster, { heardAt, partitions }]) =>
        heardAt === undefined ? [] : [[String(cluster), partitions] as const],
      ),
  );
  gauge('tidegate_objects_disk_bytes', 'Space on the disk of the blobs: total or free', 'of', async (from) => {
    const disk = await from.disk();
    return disk === undefined
      ? []
      : [['total', disk.totalBytes] as const, ['free', disk.totalBytes - disk.usedBytes] as const];
  });
  gauge(
    'tidegate_objects_blobs',
    'Blobs since the start: collected (unreferenced), read by scrubbing, damaged, missing, repaired; unrepaired: now',
    'of',
    ({ scrubbed, collected }) =>
      scrubbed === undefined
        ? []
        : [
            ...[['collected', collected] as const, ['read', scrubbed.readBlobs] as const],
            ...[['damaged', scrubbed.damaged] as const, ['missing', scrubbed.missing] as const],
            ...[['repaired', scrubbed.repaired] as const, ['unrepaired', scrubbed.unrepaired] as const],
          ],
  );
}
