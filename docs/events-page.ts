// docs/events.md, made from the kinds that the subgraphs declare.
import type { EventKinds } from '../platform/events/kinds.ts';
import { platformEvents } from '../platform/events/platform-events.ts';
import { type SubgraphRow, sharedPartsOf } from '../platform/subgraph-row.ts';

export function eventsPage(rows: readonly Pick<SubgraphRow, 'name' | 'events' | 'uses'>[]): string {
  const shared = sharedPartsOf(rows).map(({ name, events = {} }) => ({ name, events }));
  const sections = [...rows, ...shared, { name: 'platform', events: platformEvents }].map(section);
  return `# Status events

Made by \`npm run generate:docs\` from the kinds that the subgraphs declare. A status event says that one subject went from one
value to another: \`statusChanges\` streams them, \`statusHistory\` lists them. \`kinds\` takes the kinds of this page,
\`subjectTypes\` its subjects; anything else is \`INVALID_INPUT\`. \`from\` is null when the subject was created.

Subscriptions that differ only in these arguments and \`projectId\`, \`subjectId\` or \`after\` share one execution, so many narrow ones cost hardly more
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
