// Every failure trial, by name: what it proves, how to read its failure and how to repeat it. `npm run trials -- NAME --help` and
// docs/trials.md show the sentences.
import type { Bench } from '../measure/bench.ts';

export interface TrialRow {
  /** The claim that holds while the trial passes. */
  readonly proves: string;
  /** Where to look first when a figure is not 0. */
  readonly failure: string;
  /** What a seed repeats, and which options narrow the run. */
  readonly repeat: string;
  /** Loaded only on request, because each brings its own servers. */
  readonly load: () => Promise<Bench>;
}

export const trials: Readonly<Record<string, TrialRow>> = {
  events: {
    proves:
      'A client of the event stream gets each event once, in commit order, while sequencers, feeds, Redis and gateways are killed and paused.',
    failure:
      "A gap, a duplicate or a wrong order is judged from a client's own log against the table of events. `invariants` are broken rules of the tables themselves.",
    repeat:
      'The seed repeats the faults, not their exact moments; `--layer feed` and `--layer gateway` halve the search.',
    load: async () => (await import('./events-layers.ts')).trialEvents,
  },
  calls: {
    proves:
      'A mutation that is answered was executed exactly as answered, and once, while relays, workers, Redis and MariaDB are killed.',
    failure:
      "`repeated` and `wrongRejected` compare the journal with the device's own log, by operation id; `notReady` means that the system did not recover by itself.",
    repeat:
      'The seed repeats the victims and pauses; `--faults true` adds a device that misbehaves, and `--folder` keeps the logs of all processes.',
    load: async () => (await import('./calls.ts')).trialCalls,
  },
  'relay-unknown': {
    proves:
      'No call is executed twice, none is UNKNOWN without having been sent, and each settled outcome agrees with the device, wherever a connection or a relay breaks.',
    failure:
      'Each finding names a call and its device. `settledWrong` and `resurrected` are faults of settling, `falseUnknown` and `sentTooLate` are faults of the send window.',
    repeat: 'Repeat the part and the wire of the finding alone, with `--parts` and `--wires` and the same seed.',
    load: async () => (await import('./relay-unknown.ts')).trialRelayUnknown,
  },
  'relay-netconf': {
    proves:
      "A NETCONF session can be cut at any frame: an entry exists as a whole or not at all, and nobody else's uncommitted edit is committed.",
    failure:
      'Each finding names the cut frame and the act of the other client; the running configuration of netconfd contradicts the outcome.',
    repeat: 'The seed repeats the frames, cuts and acts in order; `--trials N` ends after the one that failed.',
    load: async () => (await import('./relay-netconf.ts')).trialRelayNetconf,
  },
  'relay-reboot': {
    proves:
      "A call never deletes or changes somebody else's object, although devices reboot, renumber their rules and reuse numbers.",
    failure:
      '`foreignDeleted` names an object whose owner did not delete it; `wrongMappings` are mappings that point to no object, or to another one, after verification.',
    repeat:
      'The seed repeats reboots and choices; `--reboots N` shortens the run, and `--folder` keeps the lab and the database.',
    load: async () => (await import('./relay-reboot.ts')).trialRelayReboot,
  },
  'relay-names': {
    proves:
      'A text stays one text: through every driver it becomes one argument of one command that does what was requested, or it is refused by the name of its argument.',
    failure:
      'The finding has the driver, operation, argument and text. `refusedUnnamed` is a refusal that names no argument, `wrong` a command that means something else.',
    repeat: 'The seed repeats all texts exactly; `--real 0` leaves out the real programs and needs no root.',
    load: async () => (await import('./relay-names.ts')).trialRelayNames,
  },
  'busy-start': {
    proves: 'Each role becomes ready on a processor that ten busy loops use too, and warns of nothing that is not so.',
    failure:
      'The finding has the role and the line that it wrote. `ended` are processes that ended by themselves, were not ready within 3 minutes, or did not end with 0 at SIGTERM.',
    repeat:
      'The seed repeats the order of the roles; `--loops 0` shows what a quiet start says, and `--folder` keeps all logs.',
    load: async () => (await import('./busy-start.ts')).trialBusyStart,
  },
  stops: {
    proves:
      '`npm start` survives every way to stop, kill, freeze, move or restart it: no acknowledged call is lost or repeated, and it recovers by itself.',
    failure:
      'The finding names the disturbance. `hung` and `uncoded` are answers that a client can not act on, `endedProcesses` a process that ended although nobody ended it.',
    repeat: 'Run the disturbance alone with `--only NAME` and the same seed; `--folder` keeps the log of the system.',
    load: async () => (await import('./stops.ts')).trialStops,
  },
  'lb-heal': {
    proves:
      'A load balancer has exactly its wanted nodes again after any combination of failed nodes, hosts and parts of its control plane.',
    failure:
      '`double` and `orphans` are nodes too many, `stuck` and `unhealed` are repairs that do not end, `wrongDns` and `emptyDns` are what clients would have seen.',
    repeat: 'The seed repeats the order of faults; `--network loopback` needs no root, but tests no network.',
    load: async () => (await import('./lb-heal.ts')).trialLbHeal,
  },
  'lb-scale': {
    proves: 'Autoscaling follows the load within its bounds and does not turn back within a cooldown.',
    failure:
      '`flaps` are second turns within a cooldown that load caused; `outOfBounds` are numbers of nodes beyond the policy. A course that does not come down again is a finding of its own.',
    repeat: 'The simulated hours repeat exactly by their seed; only `--real N` depends on the machine.',
    load: async () => (await import('./lb-scale.ts')).trialLbScale,
  },
  'lb-changes': {
    proves:
      'Concurrent changes of one load balancer fail no request, and each request is answered by a member that was right at that time.',
    failure:
      'The finding has the request with its times, and what was wanted then. `drift` is a node that differs from the wanted configuration at a quiet moment.',
    repeat: 'The seed repeats the changes of each lane; `--lanes 1` removes their interleaving.',
    load: async () => (await import('./lb-changes.ts')).trialLbChanges,
  },
  'lb-config': {
    proves:
      'A value of any field stays one word of the HAProxy configuration, or is refused with the name of its field, and HAProxy accepts the file.',
    failure:
      '`escaped` counts values that changed the structure of the configuration; the finding has part, field and value.',
    repeat:
      'The seed repeats all values exactly; `--inputs N` ends soon after the finding, and `--folder` keeps the files.',
    load: async () => (await import('./lb-config.ts')).trialLbConfig,
  },
  'gslb-quorum': {
    proves:
      'A verdict of a member changes only by a majority of honest and recent votes, whatever vantage points report, lose, repeat or delay.',
    failure:
      'Each figure is a rule of voting that the judge, who knows what was really reported, saw broken; the finding names the round.',
    repeat: 'A finding prints `--seed N --rounds 1`, which repeats this round exactly, in simulated time.',
    load: async () => (await import('./gslb-quorum.ts')).trialGslbQuorum,
  },
  'gslb-outage': {
    proves:
      'Name servers always answer, and with living endpoints after convergence, while every part of GSLB, MariaDB, Redis and PowerDNS fails.',
    failure:
      '`unanswered` and `emptyAnswers` were seen by a client outside, `lostFlips` by a client of the graph, and `diverged` is a name server that disagrees at the end.',
    repeat: 'The progress names each fault; run it alone with `--faults NAME` and the same seed.',
    load: async () => (await import('./gslb-outage.ts')).trialGslbOutage,
  },
  'dns-answers': {
    proves:
      'Our name server answers every packet as an independent oracle does, signs what delv validates, and explains the answers that dig gets.',
    failure:
      'A finding of `wrongReplies` has the beginning of the packet in hexadecimal digits; `bogus` has the question that delv refused; `explainMismatches` has both answers.',
    repeat: 'The seed repeats all packets exactly; lower `--packets` or `--answers` to leave out the other half.',
    load: async () => (await import('./dns-answers.ts')).trialDnsAnswers,
  },
  'objects-model': {
    proves:
      'The protocol of names in object storage is linearizable under loss, delay, crashes, wrong clocks, ring changes and restores, and the judge misses no removed guard.',
    failure:
      'A violation has a schedule that no order of operations explains. "Nothing shows that this is missing" is a fault of the trial: it has become blind to a guard.',
    repeat: 'A violation prints `--seed N --schedules 1`, which repeats this schedule exactly, in simulated time.',
    load: async () => (await import('./objects-model.ts')).trialObjectsModel,
  },
  objects: {
    proves:
      'Four real clusters together behave as one register for each name, and their disks have all that was acknowledged and nothing that was deleted.',
    failure:
      '`lost`, `stale`, `notLinearizable` and `resurrected` are judged from the answers of clients; `unreadable` and `leakedBlobs` from the disks, without the program.',
    repeat: 'Trial 7 of seed 100 alone is `--seed 107 --trials 1`; `--faults NAME,NAME` runs these faults only.',
    load: async () => (await import('./objects.ts')).trialObjects,
  },
  neighbours: {
    proves:
      'A user of one project who sends as many reads as the limits allow leaves the reads of other projects answered.',
    failure:
      '`failed` counts reads of other users without an answer. `p99Ratio` means something beside `floorRatio` only, the share of a busy machine that any user gets.',
    repeat: 'Times depend on the machine: repeat it on an idle one, with the same `--users` and `--rows`.',
    load: async () => (await import('./neighbours.ts')).trialNeighbours,
  },
  clock: {
    proves:
      'A clock that is wrong, and is corrected, repeats no call, deletes no row, replaces no node and leaves no name unwritable.',
    failure:
      'The progress has each step of a clock with what was found after it; the step alone tells which place (database, clusters, name server or all) to read.',
    repeat: 'The seed repeats the steps in order; `--folder` keeps the data of all servers.',
    load: async () => (await import('./clock.ts')).trialClock,
  },
  'gateway-differential': {
    proves:
      "The gateway's executor answers random operations on random federated graphs as one schema with all the data would, also under faults.",
    failure:
      'A difference that Apollo, the second opinion, has too may be a fault of the trial. `unplanned` is an operation without a plan, `forged` an answer that a lying subgraph changed.',
    repeat: 'Each finding ends with `--seed N --cases 1`, which repeats this operation exactly.',
    load: async () => (await import('./gateway-differential.ts')).trialGatewayDifferential,
  },
  'gateway-rolling': {
    proves:
      'All gateways and subgraphs can be restarted, and the graph replaced, without a failed request or a gap in a subscription.',
    failure:
      '`failed` counts requests without an answer or with errors, `repeated` changes made more or less often than answered, and `gaps` faults of subscriptions.',
    repeat:
      'The seed repeats requests and restarts; `--rounds 1` is the shortest run, and `--folder` keeps the logs of all processes.',
    load: async () => (await import('./gateway-rolling.ts')).trialGatewayRolling,
  },
  upgrade: {
    proves:
      'An installation of the last release becomes one of this version and goes back, one process after the other and with kills of `tidegate upgrade` amid its migrations, without a failed request, a lost or repeated call, or a gap in a subscription.',
    failure:
      '`failedRequests` counts requests without an answer or with errors; a finding has the time, and the log of the process that was restarted then has the reason. `lost` and `repeated` compare calls and changes with the device and the database.',
    repeat:
      'The seed repeats requests and calls; `--trials 1` is the shortest run, `--release DIR` uses an installed release, and `--folder` keeps the logs of all processes.',
    load: async () => (await import('./upgrade.ts')).trialUpgrade,
  },
  hostile: {
    proves:
      'Attackers of all kinds get no data, secret or change that is not theirs, crash no process, and hold up no ordinary user.',
    failure:
      '`leaks` come first: the finding has the request and what came back. `slowRefusals` block an event loop for more than 50 ms of CPU time; `internal` are answers INTERNAL and errors in logs.',
    repeat:
      'The seed repeats all attacks; `--requests N` ends after the one that was found, and `--folder` keeps the logs.',
    load: async () => (await import('./hostile.ts')).trialHostile,
  },
  restore: {
    proves:
      'After the restore of an older backup no call is repeated, no revoked access works again, and every process and reader notices.',
    failure:
      '`unnoticed` is a restore that processes did not detect, `activeButNotServed` and `diverged` are servers that differ from the restored database.',
    repeat:
      'The places are restored in turn by number; the seed repeats the changes before each, and `--changes N` bounds them.',
    load: async () => (await import('./restore.ts')).trialRestore,
  },
  backup: {
    proves:
      'A database that is backed up under load has, restored to any second, every write that was acknowledged before, and none that was sent later; no call is repeated by its key; changed files, kills and full disks are noticed.',
    failure:
      '`lost` and `fromTheFuture` compare the restored rows with the log of the clients, `unguarded` is a restored database without a lossy timeline, `repeatedCalls` counts by the log of the device, `halfDone` is a cut-off backup that looks whole.',
    repeat: 'The seed repeats the moments, kills and flips. The load is not repeated.',
    load: async () => (await import('./backup.ts')).trialBackup,
  },
  ha: {
    proves:
      'Two data hosts and a witness lose no acknowledged write, never have two primaries, and do not fail over without a fault.',
    failure:
      'A finding names the fault and what hosts hold at the end. Look at "lost" and "acknowledged on two hosts" first; "nothing is judged" means that the servers did not come back.',
    repeat: 'Run the fault alone with `--only NAME` and the same seed; `--folder` keeps the logs of all hosts.',
    load: async () => (await import('./ha.ts')).trialHa,
  },
  images: {
    proves:
      'The image is built from a checkout, and runs on one machine and as three processes, without rights and on a read-only root; after each start a person logs in, and a call reaches a device.',
    failure:
      'A finding has the end of the output of the command that failed. `notBuilt` comes first: without an image nothing else is tried.',
    repeat:
      'It has no choices at random; `--builds 1` is the whole trial. It needs Docker, and the package registries.',
    load: async () => (await import('./images.ts')).trialImages,
  },
};
