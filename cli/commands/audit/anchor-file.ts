// Reads heads of the audit trail that were kept outside the database: lines of `audit.anchorFile` or of a worker's log.
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { type AuditAnchor, anchorShape } from '../../../platform/audit/ends.ts';
import { CommandFailure } from '../../failures.ts';

const most = 1_000_000;
const line = z.object({ auditHead: anchorShape });

/** Each head once, in the order of the file. */
export async function readAnchors(path: string): Promise<readonly AuditAnchor[]> {
  const anchors = new Map<string, AuditAnchor>();
  try {
    for await (const text of createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY })) {
      if (!text.includes('"auditHead"')) continue;
      const { auditHead } = line.parse(JSON.parse(text.slice(text.indexOf('{'))));
      anchors.set(`${auditHead.position}/${auditHead.hash}`, auditHead);
      if (anchors.size > most) throw new Error(`the file has more than ${most} ends: split it`);
    }
  } catch (error) {
    throw new CommandFailure(`${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (anchors.size === 0) throw new CommandFailure(`${path}: no line has an end of the audit trail ("auditHead")`);
  return [...anchors.values()];
}
