// `tidegate audit`: verify the audit trail in place, or export it with its hashes, to be verified elsewhere.
import { exportAudit } from '../../../platform/audit/trail.ts';
import { readConfig } from '../../../platform/config.ts';
import { Database } from '../../../platform/database/database.ts';
import { subgraphRows } from '../../../subgraphs/rows.ts';
import { databaseLocation } from '../../compose/connections.ts';
import { type Action, runAction } from '../actions.ts';
import { clientOptions } from '../client/client-options.ts';
import { Arguments, type Command, type CommandContext, CommandFailure, exitCodes, UsageError } from '../command.ts';
import { describeFailure } from '../start-failure.ts';

interface Verification {
  readonly intact: boolean;
  readonly checked: number;
  readonly unsealed: number;
  readonly firstBrokenPosition: string | null;
  readonly reason: string | null;
}

const entriesAtOnce = 100_000;
const maxRounds = 10_000;

const verifyDocument = `query ($from: String, $limit: Int) {
  auditVerification(fromPosition: $from, limit: $limit) { intact checked unsealed firstBrokenPosition reason }
}`;

const verify: Action = {
  takes: [],
  async run({ client, printer, json }) {
    let checked = 0;
    let last: Verification | undefined;
    let from = 0;
    for (let round = 0; round < maxRounds; round += 1) {
      const variables = { limit: entriesAtOnce, ...(round === 0 ? {} : { from: String(from) }) };
      const data = await client.query<{ auditVerification: Verification }>(verifyDocument, variables);
      last = data.auditVerification;
      checked += last.checked;
      if (!last.intact || last.checked < entriesAtOnce) break;
      from += last.checked;
    }
    const result = { ...last, checked };
    if (json) await printer.json(result);
    else await printer.line(`${checked} entries checked, ${last?.unsealed ?? 0} not sealed yet`);
    if (last?.intact !== true) {
      throw new CommandFailure(
        `the audit trail is broken at ${last?.firstBrokenPosition ?? '?'}: ${last?.reason ?? '?'}`,
      );
    }
  },
};

export const audit: Command = {
  name: 'audit',
  usage: `audit verify --user admin --password-file FILE
    audit export --config FILE [--from TIME] [--to TIME]`,
  options: {
    config: { value: 'FILE', help: 'export: settings with the database, as for serve.' },
    from: { value: 'TIME', help: 'export: entries from then on, for example 2026-01-31T00:00:00Z.' },
    to: { value: 'TIME', help: 'export: entries before then.' },
    ...clientOptions,
  },
  run: (context) => (context.args[0] === 'export' ? exportTrail(context) : runAction(audit, { verify }, context)),
};

/** Straight from the database: all columns, so that the chain of hashes can be computed again away from here. */
async function exportTrail(context: CommandContext): Promise<number> {
  const args = new Arguments(audit, context.args);
  const from = time(args, 'from');
  const to = time(args, 'to');
  const file = args.text('config');
  let db: Database | undefined;
  try {
    const config = readConfig({ env: context.env, ...(file === undefined ? {} : { file }) }, subgraphRows);
    db = new Database({ connection: databaseLocation(config), connectionLimit: 1 });
    const range = { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
    const written = await exportAudit(db, context.stdout, { ...range, signal: context.signal });
    context.stderr.write(`tidegate: ${written} entries exported\n`);
    return exitCodes.ok;
  } catch (error) {
    if (context.signal.aborted) throw new CommandFailure('interrupted');
    throw describeFailure(error);
  } finally {
    await db?.close();
  }
}

function time(args: Arguments, name: string): Date | undefined {
  const text = args.text(name);
  if (text === undefined) return undefined;
  const date = new Date(text);
  if (Number.isNaN(date.getTime())) throw new UsageError(`--${name}: '${text}' is no time like 2026-01-31T00:00:00Z`);
  return date;
}
