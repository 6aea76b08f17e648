// docs/events.md, made from the kinds that the subgraphs declare.
import type { EventKinds } from '../../platform/events/kinds.ts';
import { platformEvents } from '../../platform/events/platform-events.ts';
import { type SubgraphRow, sharedModulesOf } from '../../platform/process/subgraph-row.ts';

export function eventsPage(rows: readonly Pick<SubgraphRow, 'name' | 'events' | 'uses'>[]): string {
  const shared = sharedModulesOf(rows).map(({ name, events = {} }) => ({ name, events }));
  const sections = [...rows, ...shared, { name: 'platform', events: platformEvents }].map(section);
  return `# Status events

Made by \`npm run generate:docs\` from the kinds that the subgraphs declare. A status event says that one subject went from one
value to another: \`statusChanges\` streams them, \`statusHistory\` lists them. \`kinds\` takes the kinds of this page,
\`subjectTypes\` its subjects; anything else is \`INVALID_INPUT\`. \`from\` is null when the subject was created.

## One CMP object

\`cmpObject\` takes everything about one object of a CMP, for example after \`statusCursor\` was read:

\`\`\`graphql
subscription ($after: String) {
  statusChanges(cmpObject: { type: "tenant", externalId: "42" }, subjectTypes: ["LoadBalancer", "Mapping"], after: $after) {
    cursor
    change { changedAt kind subjectId from to reason }
  }
}
\`\`\`

An event belongs to the CMP object that its subject had when the event was written, so the stream and the history still have it after the subject was
deleted. These events belong to a CMP object:

| subject | its CMP object |
|---|---|
| \`RelayOperation\` | the one that the call named |
| \`Mapping\` | its own |
| \`LoadBalancer\`, \`LoadBalancerNode\`, \`PoolMember\`, \`AutoscalingPolicy\` | that of the load balancer |
| \`Gslb\` | its own |
| \`Alert\` | that of its subject |
| \`GslbPoolMember\` | that of the names that use its pool. If they have different ones, the event belongs to none: \`gslb.answer\` and \`gslb.operatingStatus\` tell each name's part of it. |

\`change { cmpObject { type externalId } }\` has it in any stream. The same CMP object in another project is another one: callers get the events of their
projects alone. A malformed \`cmpObject\` is \`INVALID_INPUT\`. \`bin/tidegate events follow --cmp tenant/42\` prints the stream.

## Many subscriptions

Subscriptions that differ only in their arguments share one execution, so many narrow ones cost hardly more
than one. Each different selection costs separately: see \`subscriptions.maxEventCost\` in [settings.md](settings.md).

Cursors are opaque: a new one for the same position is another text, so compare events by \`id\`, and never cursors.

${sections.join('\n')}`;
}

function section({ name, events }: { readonly name: string; readonly events: EventKinds }): string {
  const lines = Object.entries(events).map(
    ([kind, { subject, values, meaning }]) =>
      `| \`${kind}\` | \`${subject}\` | ${values.map((value) => `\`${value}\``).join(', ')} | ${meaning} |`,
  );
  return [`## ${name}`, '', '| kind | subject | values | told when |', '|---|---|---|---|', ...lines, ''].join('\n');
}
