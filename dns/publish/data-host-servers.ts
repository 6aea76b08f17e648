// The name servers of a cluster's data hosts, each at the address of its host. Names are published at the server of the current
// primary.
import type { Database } from '../../platform/database/database.ts';
import type { RecordServer } from '../servers/record-server.ts';
import type { DataHostServers } from './zone-servers.ts';

export interface FollowPrimaryOptions {
  readonly db: Pick<Database, 'ledBy' | 'onPrimary'>;
  /** Opens the server at that host. */
  readonly open: (address: string) => RecordServer;
  /** Called when another host takes writes, or the same host again. */
  readonly onPrimary: () => void;
}

export function followPrimary({ db, open, onPrimary }: FollowPrimaryOptions): DataHostServers {
  const opened = new Map<string, RecordServer>();
  db.onPrimary(onPrimary);
  const at = (address: string): RecordServer => {
    const known = opened.get(address) ?? open(address);
    opened.set(address, known);
    return known;
  };
  return {
    get led() {
      const { location, epoch } = db.ledBy ?? {};
      return location?.host === undefined || epoch === undefined ? undefined : { server: at(location.host), epoch };
    },
  };
}
