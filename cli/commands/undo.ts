// `tidegate undo ID`: takes a change of settings back, or goes back to a version. It sends the ordinary mutation of the object's kind.
import { randomUUID } from 'node:crypto';
import { graphql } from '../../generated/cli/index.ts';
import { registry } from '../../generated/kinds/registry.ts';
import { isObject, type JsonObject } from '../../platform/values/json.ts';
import { actionDocument } from '../../schema/kinds/documents.ts';
import { dryRunOption } from '../apply/try-out.ts';
import { CommandFailure, CommandFaults } from '../failures.ts';
import type { GraphqlDocument, UserError } from '../graph-client.ts';
import { documentOf } from '../kinds/find-object.ts';
import { flag } from '../option.ts';
import { commonOptions, remoteVerb } from '../remote-verb.ts';
import { subjectText } from '../settings-version.ts';
import { type Commit, replicated } from '../wait.ts';

const document = graphql(`
  query VersionToRestore($id: ID!) {
    configurationVersion(id: $id) {
      ...VersionFields
      restore { mutation input missingFields refusal }
      undo { mutation input missingFields refusal }
    }
  }
`);

interface Payload {
  readonly made?: JsonObject | null;
  readonly commit: Commit;
  readonly userErrors: readonly UserError[];
}

type PayloadDocument = GraphqlDocument<Readonly<Record<string, Payload>>, { readonly input: JsonObject }>;

export const undo = remoteVerb({
  summary: 'Take a change of settings back, by its ID in "tidegate history". Later changes of other settings stay.',
  about: [
    'It is an ordinary change: it is refused if somebody has changed the object since, and has an ID of its own.',
    'A deleted object is made again under a new id.',
  ],
  examples: ['tidegate undo ID --dry-run=server', 'tidegate undo ID', 'tidegate undo ID --restore'],
  takes: ['ID'],
  options: {
    restore: flag('Go back to the settings after that change, instead of those before it.'),
    'dry-run': dryRunOption,
    wait: commonOptions.wait,
  },
  async run(call) {
    const { client, names, options, printer } = call;
    const { configurationVersion: version } = await client.query(document, { id: names[0] });
    if (version === null) throw new CommandFailure(`there is no change '${names[0]}': "tidegate history" lists them`);
    const { mutation, input, missingFields, refusal } = options.restore ? version.restore : version.undo;
    if (mutation === null || !isObject(input)) throw new CommandFailure(`${subjectText(version)}: ${refusal ?? ''}`);
    if (missingFields.length > 0)
      throw new CommandFailure(
        `${subjectText(version)}: ${missingFields.join(' and ')} is in no history: make it with "tidegate ${nounOf(version.subjectType)} create"`,
      );
    const isTried = options['dry-run'] !== undefined;
    if (isTried && !options.json) await printer.line(`${mutation} ${JSON.stringify(input)}`);
    if (options['dry-run'] === 'client')
      return options.json ? printer.json({ mutation, input, made: null }) : undefined;
    const manner = isTried ? { dryRun: true } : {};
    const sent = { idempotencyKey: randomUUID(), ...input };
    const { made, commit, userErrors } = await client.tryMutate(
      documentFor(version.subjectType, mutation),
      sent,
      manner,
    );
    if (userErrors.length > 0) throw new CommandFaults(userErrors.map(({ code, message }) => `${code}: ${message}`));
    if (!isTried) await replicated(call, commit);
    if (options.json) return printer.json({ mutation, input, made: made ?? null });
    const done = options.restore ? 'is as it was then' : 'is as it was before that change';
    await printer.line(isTried ? 'the server would accept it' : `${subjectText(version)} ${done}`);
  },
});

function nounOf(type: string): string {
  return registry.kinds[type]?.noun ?? type;
}

function documentFor(type: string, mutation: string): PayloadDocument {
  const kind = registry.kinds[type];
  const action = Object.values(kind?.actions ?? {}).find((each) => each.mutation === mutation);
  if (kind === undefined || action === undefined)
    throw new CommandFailure(`this command line does not know ${mutation}: it is older than the server`);
  return documentOf(actionDocument(registry, kind, action)) as unknown as PayloadDocument;
}
