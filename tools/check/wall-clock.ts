// The files that read the wall clock. It may be set at any moment: a duration, a deadline or a bucket of time goes by the monotonic
// clock (`performance.now()`), and a deletion by age by the trusted time (platform/leases/trusted-clock.ts).
import type { SourceFile } from './source-files.ts';
import { covers } from './top-folders.ts';

/** Allowed files, with the reason. */
const allowed: ReadonlyMap<string, string> = new Map([
  ['backup/s3-client.ts', 'the time signed in a request'],
  ['lab/control-plane/device-setup.ts', 'the end of a credential'],
  ['cli/doctor/findings.ts', "the end of a certificate, and the difference from the database's clock"],
  ['cli/check-client/row-world.ts', 'the end of a token'],
  ['cli/credential.ts', 'the life of a token from its end'],
  ['cli/cluster-login.ts', 'the end of a token'],
  ['cli/commands/audit/list.ts', 'a time before now that a user gave'],
  ['cli/top/overview.ts', 'the end of a certificate'],
  ['cli/top/session.ts', 'the ages of times that the server gives'],
  ['cli/stored-credential.ts', 'the end of a token'],
  ['cli/commands/lab/load.ts', "the time of a run, for the device's log"],
  ['cli/commands/clusters/measure.ts', 'when a disk was measured'],
  ['dns/publish/drift-queue.ts', 'when a name was read, for change-window.ts'],
  ['dns/publish/publish-queue.ts', 'when a name was read, for change-window.ts'],
  ['dns/publish/server-queue.ts', 'when a name was read, for change-window.ts'],
  ['dns/answerer/clocks.ts', 'the time of signatures and cookies, and of the age of answers over a reboot'],
  ['dns/servers/change-window.ts', 'one of its two clocks'],
  ['dns/servers/dns-client.ts', 'the time signed in TSIG (RFC 8945)'],
  ['gateway/subscriptions/socket-watch.ts', 'the end of an access token'],
  ['ha/agent/clocks.ts', 'compares both clocks'],
  ['ha/agent/cluster-state.ts', 'the wall clock that a host reports'],
  ['cli/commands/ha/pause.ts', 'the end of a pause'],
  ['cli/commands/ha/status.ts', 'the end of a certificate'],
  ['ha/agent/keys.ts', 'the end of a pause'],
  ['ha/due-requests.ts', 'the time that people gave to a request'],
  ['ha/host/certificate-life.ts', 'the end of a certificate'],
  ['ha/host/certificate-renewal.ts', 'the end of a certificate'],
  ['ha/agent/history.ts', 'when leads were lost, for hosts with other clocks'],
  ['ha/cluster.ts', 'how far the clocks of hosts differ'],
  ['ha/clock-teller.ts', 'the wall clock that a host reports'],
  ['ha/host/begin.ts', 'the end of a token'],
  ['ha/host/first-host.ts', 'the end of a token'],
  ['ha/address/dns-address.ts', 'when an address was read, for change-window.ts'],
  ['lab/device-place.ts', 'the end of a credential'],
  ['platform/net/certificates.ts', 'validity of certificates'],
  ['platform/graph/service-identity.ts', 'the end of a signed identity'],
  ['platform/graph/signed-identity.ts', 'the end of a signed identity'],
  ['platform/machines/joined-machine.ts', 'the end of a certificate'],
  ['platform/checks/probes/tls.ts', 'the end of a certificate'],
  ['platform/values/ids.ts', 'the time in a UUID (RFC 9562)'],
  ['platform/database/commits.ts', 'the age of a UUID'],
  ['platform/keys/rotate-keys.ts', 'when other processes used a key'],
  ['platform/secrets/key-pairs.ts', 'when a key was used, for other processes'],
  ['platform/secrets/keyring.ts', 'when a key was used, for other processes'],
  ['simulators/neo/neo.ts', 'the dates of its jobs'],
  ['simulators/f5-bigip/bigip.ts', 'the dates of its tasks'],
  ['subgraphs/system/control/alerts/certificate-expiry.ts', 'the end of a certificate'],
  ['subgraphs/loadbalancer/control/hosts/preview.ts', 'the time in a rendered configuration'],
  ['subgraphs/loadbalancer/control/scaling/collectd/receiver.ts', 'the time of a value'],
  ['subgraphs/loadbalancer/control/traffic/traffic-reads.ts', 'minutes and hours of the calendar'],
  ['subgraphs/loadbalancer/control/traffic/traffic-seconds.ts', 'seconds of the calendar'],
  ['subgraphs/loadbalancer/control/traffic/traffic-rollup.ts', 'minutes and hours of the calendar'],
  ['subgraphs/loadbalancer/control/scaling/node-load.ts', 'seconds of the calendar'],
  ['subgraphs/loadbalancer/agents/lbhost/haproxy/traffic-meter.ts', 'the time of a report'],
  ['subgraphs/loadbalancer/agents/lbhost/node-runner.ts', 'the time in a rendered configuration'],
  ['subgraphs/loadbalancer/agents/lbhost/access-log.ts', 'the second of a line; any other second begins a new count'],
  ['subgraphs/gslb/control/entities/member-service.ts', 'a time that a user gave'],
  ['subgraphs/gslb/control/explain/explain-resolvers.ts', 'a time that a user gave'],
  ['subgraphs/object-storage/engine/federation/cluster-namespace.ts', 'versions'],
  ['subgraphs/object-storage/agents/server/token-access.ts', 'the end of a token'],
  ['subgraphs/object-storage/agents/server/object-server.ts', 'versions'],
  ['subgraphs/object-storage/agents/server/scrubber.ts', 'the age of versions'],
  ['subgraphs/object-storage/engine/namespace/objects.ts', 'when an object was written'],
  ['subgraphs/object-storage/engine/namespace/ended-uploads.ts', 'the age of versions; servers give the trusted time'],
  ['subgraphs/object-storage/engine/namespace/collector.ts', 'the age of versions; servers give the trusted time'],
  ['subgraphs/object-storage/engine/namespace/containers.ts', 'when a container was made'],
  ['subgraphs/object-storage/engine/blobs/blob-writer.ts', 'when a blob was written'],
  ['subgraphs/object-storage/wire/cluster-tokens.ts', 'the end of a token'],
  [
    'subgraphs/object-storage/engine/store/tombstone-collector.ts',
    'the age of versions; servers give the trusted time',
  ],
  ['subgraphs/object-storage/engine/s3/server.ts', 'the time in a signature'],
  ['subgraphs/object-storage/agents/controller/controller.ts', 'the wall clock that a cluster reports'],
  ['subgraphs/object-storage/control/containers/url-service.ts', 'the time in a signature'],
  ['subgraphs/system/control/access/access-tokens.ts', 'the end of a token'],
  ['subgraphs/system/control/tokens/token-service.ts', 'a time that a user gave'],
]);

const wallClock = /\bDate\.now\b/;
/** Matches the text of a statement. The trusted time is a placeholder. */
const deletesByClock = /\bDELETE\b[^;]*(<|<=|>)\s*NOW\(/;

export function findClockFaults(files: readonly SourceFile[]): string[] {
  const shipped = files.filter(({ path }) => covers('clock', path));
  return [
    ...shipped
      .filter(({ path, text }) => wallClock.test(text) && !allowed.has(path))
      .map(
        ({ path }) =>
          `${path} reads Date.now: durations go by performance.now(); a point in time needs a reason in tools/check/wall-clock.ts`,
      ),
    ...shipped
      .filter(({ strings }) => strings.some((text) => deletesByClock.test(text)))
      .map(({ path }) => `${path} deletes by NOW(): use trustedNow of platform/leases/trusted-clock.ts`),
  ];
}
