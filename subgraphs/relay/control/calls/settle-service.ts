// Settles a call with an unknown outcome: by the driver's probe, which reads the device, or by a person who inspected it. It never
// guesses, and never repeats the call. While the call may still act, only its own mark on the device settles it. The presence or
// absence of an object may be the result of another call, and this call may still follow.
import type { RelayOperationSettleInput } from '../../../../generated/graph/relay.ts';
import { countsFor, type Identity, type RequestContext } from '../../../../platform/caller/identity.ts';
import type { Database, Transaction } from '../../../../platform/database/database.ts';
import { LookAgain, type MutationOutcome, type Mutations } from '../../../../platform/edge/mutation.ts';
import { refuse } from '../../../../platform/errors/errors.ts';
import { caller, requireRole, visibleRow } from '../../../../platform/input/authorise.ts';
import { SealError } from '../../../../platform/secrets/seal.ts';
import { type DeviceAddress, deviceAddress } from '../../drivers/device-address.ts';
import type { Driver, DriverOperation, JsonObject } from '../../drivers/driver.ts';
import { readBackend } from '../backends/backend-store.ts';
import { contextOf } from '../backends/endpoint.ts';
import type { CallMetrics } from '../holding/call-metrics.ts';
import type { DeviceReader } from '../holding/device-reader.ts';
import type { Journal } from '../journal/journal.ts';
import type { OperationReads } from '../journal/operation-reads.ts';
import { quietTime, readForLook, readOperation } from '../journal/operation-store.ts';
import { liveMappings } from '../mappings/mapping-store.ts';
import { type CallSubject, type OperationRow, subjectOf } from '../model/operation.ts';
import type { SecretArguments } from '../model/secret-arguments.ts';
import { type Finding, outcomeProbe } from './outcome-probe.ts';

interface SettleServiceOptions {
  readonly db: Database;
  readonly operations: OperationReads;
  readonly mutations: Mutations;
  readonly journal: Journal;
  readonly reader: DeviceReader;
  readonly drivers: ReadonlyMap<string, Driver>;
  readonly metrics: Pick<CallMetrics, 'settled'>;
  readonly opener: SecretArguments;
}

type Write = (tx: Transaction) => Promise<void>;

/** A finding, with the call that it belongs to. */
interface Looked {
  readonly finding: Finding;
  readonly subject: CallSubject;
  /** The driver's name. */
  readonly driver: string;
  /** The operation's version when the look began. */
  readonly version: number;
  /** When the look began, the call's quiet time was not over. */
  readonly mayAct: boolean;
}

export class SettleService {
  readonly #options: SettleServiceOptions;

  constructor(options: SettleServiceOptions) {
    this.#options = options;
  }

  settle(context: RequestContext, input: RelayOperationSettleInput): Promise<MutationOutcome<OperationRow>> {
    const { operations, mutations } = this.#options;
    const { identity } = context;
    return mutations.run({
      name: 'relayOperationSettle',
      context,
      input,
      subject: 'RelayOperation',
      prepare: async (attempt) => {
        const { check } = attempt;
        check.text('note', input.note, { required: input.verdict != null, min: 1, max: 1000, multiline: true });
        const named = { type: 'RelayOperation', id: input.id };
        const row = await visibleRow(identity, check, named, (uuid) => operations.byId(uuid));
        attempt.projectId = row.projectId;
        check.throwIfAny();
        requireRights(identity, row, input);
        return {
          look: async () => {
            const write = await this.#decide(context, input, row.id);
            return async (tx) => {
              await write(tx);
              return row.id;
            };
          },
        };
      },
      read: (id) => operations.byId(id),
    });
  }

  /** Looks once at the job of an ACCEPTED call, and writes its end. True while it runs. Refuses like `settle`. */
  async lookAtJob(id: string): Promise<boolean> {
    const { db } = this.#options;
    const begun = await readForLook(db, id);
    if (begun === undefined || begun.row.state !== 'ACCEPTED') return false;
    const looked = { ...(await this.#look(begun.row)), version: begun.row.version, mayAct: begun.mayAct };
    if (looked.finding.is === 'OPEN') return true;
    await db.transaction((tx) => this.#settle(tx, id, (now) => this.#byFinding(tx, now, looked)));
    return false;
  }

  /**
   * Prepares the write of a settlement. A probe reads before the transaction, and the transaction decides on the row's state at
   * that time.
   */
  async #decide(context: RequestContext, input: RelayOperationSettleInput, id: string): Promise<Write> {
    const begun = await readForLook(this.#options.db, id);
    // The transaction would refuse it too.
    if (begun === undefined || !settleable(begun.row)) return (tx) => this.#settle(tx, id, async () => undefined);
    const { row, mayAct } = begun;
    const { verdict } = input;
    if (verdict == null) {
      const looked = { ...(await this.#look(row)), version: row.version, mayAct };
      return (tx) => this.#settle(tx, row.id, (now) => this.#byFinding(tx, now, looked));
    }
    const { driver, operation } = await this.#driverOf(row);
    return (tx) =>
      this.#settle(tx, row.id, (now) =>
        this.#byPerson(tx, subjectOf(now, operation, this.#options.opener), now, {
          driver,
          verdict,
          note: input.note ?? '',
          force: input.force === true,
          settler: caller(context),
        }),
      );
  }

  async #settle(tx: Transaction, id: string, write: (now: OperationRow) => Promise<void>): Promise<void> {
    const now = await readOperation(tx, id, 'FOR UPDATE');
    if (now === undefined || !settleable(now))
      refuse(
        'WRONG_STATE',
        `the operation is ${now?.state ?? 'gone'}; only UNKNOWN and ACCEPTED operations can be settled`,
        {
          field: ['input', 'id'],
        },
      );
    await write(now);
  }

  /** One read: of the job of an ACCEPTED call, else of the object of an UNKNOWN one. */
  async #look(row: OperationRow): Promise<Pick<Looked, 'finding' | 'subject' | 'driver'>> {
    const { db, reader, drivers, opener } = this.#options;
    const backend = await readBackend(db, row.backendId);
    const driver = drivers.get(backend?.driver ?? '');
    const operation = driver?.operations.get(row.name);
    const args = openedArguments(opener, row);
    const uuid = (await liveMappings(db, row.backendId, row.objectHash)).find((mapping) => mapping.uuid !== null)?.uuid;
    const look = driver === undefined ? undefined : outcomeProbe(driver, row, uuid ?? null, args);
    if (look === undefined || driver === undefined || backend === undefined)
      refuse('NO_PROBE', `the driver can't read the outcome of ${row.name}: inspect the backend and give a verdict`, {
        field: ['input', 'verdict'],
      });
    const context = { operationId: row.id, backend: contextOf(driver, backend) };
    refuseElsewhere(row, deviceAddress(driver, { ...backend, options: context.backend.options }));
    const asked = await reader.ask(backend, look.render(context), backend.deadlineMs);
    // The backend may have been changed since it was read.
    refuseElsewhere(row, asked.address);
    if (!asked.ok)
      refuse('UNAVAILABLE', `the backend could not be read: ${asked.redactor.text(asked.failure.message)}`, {
        retryAfterMs: 1_000,
      });
    const redactor = operation && opener.redactorOf(operation, args);
    const found = asked.redactor.value(look.interpret(asked.reply, context));
    const finding = redactor?.value(found) ?? found;
    return { finding, subject: subjectOf(row, operation, opener), driver: driver.name };
  }

  async #byFinding(tx: Transaction, now: OperationRow, looked: Looked): Promise<void> {
    const { journal } = this.#options;
    const { finding, subject, driver, version, mayAct } = looked;
    if (now.version !== version) throw new LookAgain('the operation');
    const evidence = (found: string, note: string) => ({ source: 'probe', finding: found, note });
    if (finding.is !== 'OPEN' && !finding.proven && mayAct) {
      const words = `${finding.note}; the call may still take effect until ${now.quietUntil?.toISOString()}`;
      const soFar = finding.is === 'DONE' ? 'AS_WANTED_SO_FAR' : 'ABSENT_SO_FAR';
      return journal.evidenceIn(tx, subject, now, evidence(soFar, words));
    }
    switch (finding.is) {
      case 'DONE': {
        const { uuid, note, result } = finding;
        const move = { to: 'SUCCEEDED', by: 'probe', settledBy: 'probe', error: null } as const;
        const known = { ...(uuid === undefined ? {} : { uuid }), ...(result === undefined ? {} : { result }) };
        return this.#move(tx, driver, subject, now, { ...move, ...known, evidence: evidence('SUCCEEDED', note) });
      }
      case 'NOT_DONE': {
        const { note, error } = finding;
        const move = { to: 'FAILED', by: 'probe', settledBy: 'probe', error } as const;
        return this.#move(tx, driver, subject, now, { ...move, evidence: evidence('FAILED', note) });
      }
      case 'OPEN':
        return journal.evidenceIn(tx, subject, now, evidence(finding.finding, finding.note));
    }
  }

  async #byPerson(
    tx: Transaction,
    subject: CallSubject,
    now: OperationRow,
    given: {
      readonly driver: string;
      readonly verdict: 'SUCCEEDED' | 'FAILED';
      readonly note: string;
      readonly force: boolean;
      readonly settler: Pick<Identity, 'kind' | 'id' | 'name'>;
    },
  ): Promise<void> {
    const { driver, verdict, note, force, settler } = given;
    const { until, isOver } = await quietTime(tx, now.id);
    if (!force && !isOver)
      refuse(
        'QUIET_PERIOD',
        `the call may still take effect: its quiet time, until ${until?.toISOString()} or a little later, is not over. Give the verdict then, or set force`,
        {
          field: ['input', 'force'],
        },
      );
    const evidence = { source: 'operator', finding: verdict, note: `${settler.name}: ${note}` };
    const error = verdict === 'SUCCEEDED' ? null : { code: 'NOT_APPLIED', message: `not carried out: ${note}` };
    const move = { to: verdict, by: 'operator', settledBy: 'operator', settler, error, evidence } as const;
    return this.#move(tx, driver, subject, now, move);
  }

  async #move(
    tx: Transaction,
    driver: string,
    subject: CallSubject,
    now: OperationRow,
    move: Parameters<Journal['moveIn']>[3] & { readonly by: 'probe' | 'operator' },
  ): Promise<void> {
    const { journal, metrics } = this.#options;
    await journal.moveIn(tx, subject, now, move);
    tx.afterCommit(() => metrics.settled(driver, now.name, move.to, move.by));
  }

  async #driverOf(row: OperationRow): Promise<{ driver: string; operation: DriverOperation | undefined }> {
    const driver = (await readBackend(this.#options.db, row.backendId))?.driver ?? '';
    return { driver, operation: this.#options.drivers.get(driver)?.operations.get(row.name) };
  }
}

/** A member may have the relay look at a call of their own. Only an operator may decide without a look, or about the calls of others. */
function requireRights(
  identity: Identity | null,
  { projectId, requesterId }: OperationRow,
  { verdict, force }: RelayOperationSettleInput,
): void {
  const isOwn = identity !== null && requesterId === countsFor(identity);
  if (verdict != null) requireRole(identity, projectId, 'OPERATOR', 'a verdict');
  else if (force === true) requireRole(identity, projectId, 'OPERATOR', 'force');
  else if (isOwn) requireRole(identity, projectId, 'MEMBER', 'relayOperationSettle');
  else requireRole(identity, projectId, 'OPERATOR', "settling another caller's operation");
}

/** Without the call's secrets, a look could attribute the call's own settings to somebody else. */
function openedArguments(opener: SecretArguments, row: OperationRow): JsonObject {
  try {
    return opener.argumentsOf(row);
  } catch (error) {
    if (!(error instanceof SealError)) throw error;
    const why =
      error.why === 'KEY_MISSING' ? 'the key file lacks their key: restore it' : 'they were changed in the database';
    refuse(
      'NO_PROBE',
      `the secret arguments of ${row.name} can't be opened (${why}): inspect the backend and give a verdict`,
      { field: ['input', 'verdict'] },
    );
  }
}

/** The effect of a call can be seen only on the device to which it was sent. */
function refuseElsewhere({ sentTo, sentOptions }: OperationRow, { hostPort, options }: DeviceAddress): void {
  if (sentTo === hostPort && sentOptions === options) return;
  const sent = sentTo === null ? 'to an address that an earlier version did not record' : `to ${sentTo}`;
  const moved = sentTo === hostPort ? `${hostPort} with other options` : hostPort;
  refuse(
    'BACKEND_MOVED',
    `the call was sent ${sent}, but the backend is now at ${moved}: look there yourself and give a verdict, or set the address back`,
    { field: ['input', 'verdict'] },
  );
}

function settleable(row: OperationRow): boolean {
  return row.state === 'UNKNOWN' || row.state === 'ACCEPTED';
}
