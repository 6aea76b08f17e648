// Changes the records of GSLB machines: the settings that administrators assigned to checkers and name servers with
// machineCreate.

import type { RequestContext } from '../../../../platform/caller/identity.ts';
import type { Database } from '../../../../platform/database/database.ts';
import type { MutationOutcome, Mutations } from '../../../../platform/edge/mutation.ts';
import { refuse, unknownId } from '../../../../platform/errors/errors.ts';
import { caller, requireAdmin } from '../../../../platform/input/authorise.ts';
import {
  type CheckerRecord,
  checkCheckerRecord,
  checkerRecordsOf,
  setCheckerRecord,
} from '../../../../platform/machines/checker-record.ts';
import {
  checkNameServerRecord,
  type NameServerRecord,
  nameServerRecordsOf,
  setNameServerRecord,
} from '../../../../platform/machines/name-server-record.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import { disconnectChecker, readChecker } from '../stores/checker-store.ts';
import { nameServersAmong, serversChanged } from '../stores/name-server-store.ts';
import { isVantagePoint } from '../stores/vantage-store.ts';

interface RecordDependencies {
  readonly db: Database;
  readonly wake: Wake;
  readonly mutations: Mutations;
}

/** `machineId`: UUID. */
export type ShownCheckerRecord = CheckerRecord & { readonly machineId: string };

export type ShownNameServerRecord = NameServerRecord & { readonly machineId: string };

interface OfMachine {
  readonly idempotencyKey?: string | null;
  /** Global id. */
  readonly machineId: string;
}

export class RecordService {
  readonly #dependencies: RecordDependencies;

  constructor(dependencies: RecordDependencies) {
    this.#dependencies = dependencies;
  }

  /** The checker is disconnected: its votes count again once it reports the new vantage point. */
  setChecker(context: RequestContext, input: CheckerRecord & OfMachine): Promise<MutationOutcome<ShownCheckerRecord>> {
    const { db, wake, mutations } = this.#dependencies;
    return mutations.run({
      ...{ name: 'gslbCheckerRecordSet', context, input, subject: 'Machine' },
      async prepare({ check }) {
        const id = check.id('machineId', input.machineId, 'Machine') ?? '';
        const record = checkCheckerRecord(check, input);
        requireAdmin(caller(context));
        check.throwIfAny();
        return async (tx) => {
          const before = (await checkerRecordsOf(tx, [id], { lock: true })).get(id);
          // A machine from before records existed has none, and is known by its connection alone.
          if (before === undefined && (await readChecker(tx, id)) === undefined) refuseUnknown(input.machineId);
          const { vantagePoint } = record;
          if (!(await isVantagePoint(tx, vantagePoint)))
            refuse('NOT_FOUND', `there is no vantage point ${vantagePoint}: create it with gslbVantagePointCreate`, {
              field: ['input', 'vantagePoint'],
            });
          if (before?.vantagePoint === vantagePoint) return id;
          await setCheckerRecord(tx, id, record);
          await disconnectChecker(tx, wake, id);
          return id;
        };
      },
      read: async (machineId) => {
        const record = (await checkerRecordsOf(db, [machineId])).get(machineId);
        return record && { ...record, machineId };
      },
    });
  }

  /** Zones then publish its new addresses. */
  setNameServer(
    context: RequestContext,
    input: NameServerRecord & OfMachine,
  ): Promise<MutationOutcome<ShownNameServerRecord>> {
    const { db, wake, mutations } = this.#dependencies;
    return mutations.run({
      ...{ name: 'gslbNameServerRecordSet', context, input, subject: 'Machine' },
      async prepare({ check }) {
        const id = check.id('machineId', input.machineId, 'Machine') ?? '';
        const record = checkNameServerRecord(check, input);
        requireAdmin(caller(context));
        check.throwIfAny();
        return async (tx) => {
          const before = (await nameServerRecordsOf(tx, [id], { lock: true })).get(id);
          if (before === undefined && (await nameServersAmong(tx, [id])).length === 0) refuseUnknown(input.machineId);
          if (before?.addresses.join() === record.addresses.join()) return id;
          await setNameServerRecord(tx, id, record);
          await serversChanged(tx, wake);
          return id;
        };
      },
      read: async (machineId) => {
        const record = (await nameServerRecordsOf(db, [machineId])).get(machineId);
        return record && { ...record, machineId };
      },
    });
  }
}

function refuseUnknown(id: string): never {
  refuse('NOT_FOUND', unknownId('Machine', id), { field: ['input', 'machineId'] });
}
