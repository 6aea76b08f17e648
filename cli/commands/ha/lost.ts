// `tidegate ha lost EPOCH`: the writes that a move lost, by the objects that they concern.
import type { Saved } from '../../../ha/agent/keys.ts';
import { type LostMutation, type LostTransaction, lostTransactions } from '../../../ha/lost/lost-writes.ts';
import { CommandFailure, UsageError } from '../../failures.ts';
import type { Printer } from '../../printer.ts';
import { hostVerb } from './cluster-verb.ts';

const rowsAtOnce = 200;
const head = ['AT', 'MUTATION', 'KEY', 'CMP OBJECT', 'CALLER', 'RECORD'];

export const lost = hostVerb({
  summary: 'Show the requests whose writes a move lost: mutation, key, CMP object, caller and time.',
  takes: ['EPOCH'],
  options: {},
  async run({ names: [name = ''], cluster, file, isHostFolder, options, printer }) {
    const epoch = Number(name);
    if (!/^\d{1,10}$/.test(name)) throw new UsageError(`EPOCH: '${name}' is not a number`);
    const saved = (await cluster.history()).saved.filter((each) => each.epoch === epoch);
    if (saved.length === 0)
      throw new CommandFailure(
        `NOT_FOUND: no writes are known that the primary of epoch ${epoch} lacks; "tidegate ha history" shows those of each epoch once the last primary is back`,
      );
    // In the demo all hosts are on one machine.
    const here = saved.filter(({ host }) => host === file.me || !isHostFolder);
    const away = saved.filter((each) => !here.includes(each));
    if (here.length === 0) throw new CommandFailure(`NOT_HERE: ${away.map(awayText).join('; ')}`);
    for (const each of here) await (options.json ? printJson(each, printer) : printTable(each, printer));
    for (const each of away) if (!options.json) await printer.line(`Not shown: ${awayText(each)}.`);
  },
});

function awayText({ host, transactions, epoch }: Saved): string {
  return `${transactions} transactions are on ${host}: type "tidegate ha lost ${epoch}" there`;
}

/** One line for each transaction, because there may be many; the last line says how many of those that were kept could be read. */
async function printJson(saved: Saved, printer: Printer): Promise<void> {
  const { host, epoch, transactions, folder } = saved;
  let read = 0;
  for await (const each of readLost(saved)) {
    read += 1;
    await printer.ndjson({ host, epoch, ...each });
  }
  await printer.ndjson({ host, epoch, kept: transactions, read, folder });
}

async function printTable(saved: Saved, printer: Printer): Promise<void> {
  let rows: (readonly string[])[] = [];
  const [own, unread] = [new Map<string, number>(), new Map<string, number>()];
  let [requests, read] = [0, 0];
  const flush = async () => {
    if (rows.length > 0) await printer.table(head, rows);
    rows = [];
  };
  for await (const each of readLost(saved)) {
    read += 1;
    requests += each.mutations.length + each.furtherMutations;
    if (each.undecoded !== null) unread.set(each.undecoded, (unread.get(each.undecoded) ?? 0) + 1);
    if (each.mutations.length === 0) for (const table of each.tables) own.set(table, (own.get(table) ?? 0) + 1);
    rows.push(...each.mutations.map((mutation) => rowOf(each, mutation)));
    if (rows.length >= rowsAtOnce) await flush();
  }
  await flush();
  await printer.line(
    `${requests} writes of requests, in ${read} transactions of ${saved.host} that epoch ${saved.epoch} lacks.`,
  );
  if (own.size > 0) await printer.line(`Tables that no request changed: ${countsText(own)}.`);
  for (const [what, count] of unread) await printer.line(`Not decoded in ${count} transactions: ${what}.`);
  if (read < saved.transactions)
    await printer.line(
      `${saved.transactions - read} more transactions were kept, and are not in ${saved.folder} any more.`,
    );
}

function rowOf({ at, recordId, gtid }: LostTransaction, mutation: LostMutation): readonly string[] {
  const { idempotencyKey, keySha256, cmpObject, caller } = mutation;
  return [
    ...[at, mutation.mutation, idempotencyKey ?? (keySha256 === null ? '-' : `SHA-256 ${keySha256}`)],
    cmpObject === null ? '-' : `${cmpObject.namespace}/${cmpObject.type}/${cmpObject.externalId}`,
    ...[caller === null ? '-' : caller.name, recordId ?? gtid],
  ];
}

function countsText(counts: ReadonlyMap<string, number>): string {
  return [...counts].map(([name, count]) => `${name} (${count})`).join(', ');
}

async function* readLost(saved: Saved): AsyncGenerator<LostTransaction> {
  try {
    yield* lostTransactions(saved, saved.folder);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw new CommandFailure(
      `the log of the lost writes can't be read: ${message}; they were saved in ${saved.folder}`,
    );
  }
}
