// A process of a cluster that takes a piece of shared work, prints it, and keeps it until it is killed. Argument: the
// database's location as JSON.
import { pino } from 'pino';
import { Database } from '../../../../../platform/database/database.ts';
import { WorkShare } from '../../../../../subgraphs/object-storage/agents/server/work-share.ts';

const db = new Database({ connection: JSON.parse(process.argv[2] ?? '') });
const share = new WorkShare({ db, log: pino({ level: 'silent' }) });
if (await share.isMine('collect blobs')) process.stdout.write('mine\n');
setInterval(() => undefined, 60_000);
