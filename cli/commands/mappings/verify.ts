// `tidegate mappings verify`: reads backend objects, a few at a time, and counts those that match their mappings.
import { randomUUID } from 'node:crypto';
import { graphql } from '../../../generated/cli/index.ts';
import { CommandFailure, exitCodes, Interruption, UsageError } from '../../failures.ts';
import { backendId, projectId } from '../../find.ts';
import { flag, integer } from '../../option.ts';
import { readAll } from '../../pages.ts';
import { type RemoteCall, remoteVerb } from '../../remote-verb.ts';
import { filterOptions, readMappings } from './filters.ts';
import { type Mapping, ownerText, printDifferences, printMapping, verificationResults } from './mapping.ts';
import { type UnmappedReport, unmappedObjects } from './unmapped.ts';

/** Reads share the backend's queue with writes, and more at once would delay the writes. */
const atOnce = 4;
const mostMappings = 100_000;

const document = graphql(`
  mutation MappingsVerify($input: MappingVerifyInput!) {
    mappingVerify(input: $input) { mapping { ...MappingFields } userErrors { code message field } }
  }
`);

/** Result of one verification. */
type Look =
  | { readonly result: (typeof verificationResults)[number]; readonly mapping: Mapping }
  /** The verification was refused, or the backend was unreachable. */
  | { readonly result: 'NOT_SEEN'; readonly mapping: Mapping; readonly why: string };

type Client = RemoteCall['client'];

export const verify = remoteVerb({
  summary: 'Compare backend objects with their mappings: one by its mapping, or all that the filters select.',
  takes: ['[ID]'],
  options: {
    ...filterOptions,
    unmapped: flag("Also list the backend's objects that have a mark of Tidegate and no mapping; needs --backend."),
    most: integer('N', `Maximum number of objects (${mostMappings}).`, { least: 1, most: mostMappings }),
  },
  async run(call) {
    const { client, options, names, printer } = call;
    const [id] = names;
    if (id !== undefined) return verifyOne(call, id);
    if (options.backend === undefined && options.cmp === undefined)
      throw new UsageError('give a mapping, --backend or --cmp');
    if (options.unmapped && options.backend === undefined) throw new UsageError('--unmapped needs --backend NAME');
    // An ORPHAN mapping has no backend any more, and a DELETED one no object.
    const chosen = readMappings(client, options, {
      limit: options.most ?? mostMappings,
      states: ['ACTIVE', 'UNVERIFIED'],
    });
    const looks = await lookAtAll(client, await readAll(chosen));
    const count = (result: Look['result']) => looks.filter((each) => each.result === result).length;
    const counts = {
      ...Object.fromEntries(verificationResults.map((result) => [result, count(result)])),
      NOT_SEEN: count('NOT_SEEN'),
    };
    const more = await unmappedOf(call);
    if (options.json) await printer.json({ ...counts, mappings: looks.filter(isNews).map(jsonOf), ...more });
    else {
      await printLooks(printer, looks, counts);
      if (more !== undefined) await printUnmapped(printer, more);
    }
    const others = looks.length - count('MATCHES');
    if (more !== undefined && more.unmapped.length + more.unread.length > 0)
      throw new CommandFailure(
        `${others} of ${looks.length} objects do not match, ${more.unmapped.length} have no mapping, and ${more.unread.length} lists could not be read`,
      );
    if (others > 0) throw new CommandFailure(`${others} of ${looks.length} objects do not match`);
  },
});

async function verifyOne(
  call: Pick<RemoteCall, 'client' | 'printer'> & { readonly options: { readonly json: boolean } },
  id: string,
): Promise<void> {
  const mapping = await look(call.client, id);
  await printMapping(call, mapping);
  const result = mapping.lastVerification?.result;
  if (result !== 'MATCHES') throw new CommandFailure(`the backend object is ${result ?? 'not verified'}`);
}

async function lookAtAll(client: Client, mappings: readonly Mapping[]): Promise<Look[]> {
  const looks: Look[] = [];
  const queue = mappings.entries();
  const work = async (): Promise<void> => {
    // All workers share one iterator: each takes the next mapping.
    for (const [index, mapping] of queue) looks[index] = await tryLook(client, mapping);
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return looks;
}

/** A refusal is a result. An unreachable server, or Ctrl-C, ends the command. */
async function tryLook(client: Client, mapping: Mapping): Promise<Look> {
  try {
    const seen = await look(client, mapping.id);
    const { lastVerification } = seen;
    if (lastVerification === null) return { result: 'NOT_SEEN', mapping: seen, why: 'no result was recorded' };
    return { result: lastVerification.result, mapping: seen };
  } catch (error) {
    if (!(error instanceof CommandFailure) || error.exitCode === exitCodes.unreachable) throw error;
    if (error instanceof Interruption) throw error;
    return { result: 'NOT_SEEN', mapping, why: error.message };
  }
}

async function look(client: Client, id: string): Promise<Mapping> {
  const { mapping } = await client.mutate(document, { id, idempotencyKey: randomUUID() });
  if (mapping === null) throw new CommandFailure('the server gave no mapping');
  return mapping;
}

type ReportCall = Pick<RemoteCall, 'client'> & {
  readonly options: {
    readonly unmapped: boolean;
    readonly backend?: string | undefined;
    readonly project?: string | undefined;
  };
};

async function unmappedOf({ client, options }: ReportCall): Promise<UnmappedReport | undefined> {
  if (!options.unmapped || options.backend === undefined) return undefined;
  return unmappedObjects(client, await backendId(client, options.backend, await projectId(client, options.project)));
}

async function printUnmapped(printer: RemoteCall['printer'], { unmapped, unread }: UnmappedReport): Promise<void> {
  for (const { list, operationId, callIsKnown, object } of unmapped)
    await printer.line(
      `${printer.status('UNMAPPED')}  ${list}  call ${operationId}${callIsKnown ? '' : ' (not recorded)'}  ${JSON.stringify(object)}`,
    );
  for (const each of unread) await printer.line(`not read: ${each}`);
  await printer.line(`${unmapped.length} ${printer.status('UNMAPPED')}`);
}

const isNews = ({ result }: Look): boolean => result !== 'MATCHES';
const jsonOf = (each: Look): object =>
  each.result === 'NOT_SEEN'
    ? { ...each.mapping, result: each.result, why: each.why }
    : { ...each.mapping, result: each.result };

async function printLooks(
  printer: RemoteCall['printer'],
  looks: readonly Look[],
  counts: Readonly<Record<string, number>>,
): Promise<void> {
  for (const each of looks.filter(isNews)) {
    const { mapping } = each;
    const place = [mapping.backend?.name, mapping.resource, mapping.scope, mapping.objectKey].filter(
      (part) => part !== '',
    );
    await printer.line(
      `${printer.status(each.result)}  ${place.join(' ')}  ${ownerText(mapping)}  ${printer.idText(mapping.id)}`,
    );
    if (each.result === 'NOT_SEEN') await printer.line(`  ${each.why}`);
    else await printDifferences(printer, mapping);
  }
  const parts = Object.entries(counts).filter(([result, count]) => count > 0 || result !== 'NOT_SEEN');
  await printer.line(parts.map(([result, count]) => `${count} ${printer.status(result)}`).join(', '));
}
