// All kinds of GSLB entities, and the kinds of dns/ that the graph offers with them.
import { flavor, vantagePoint, zone } from './administered.ts';
import { dnsBackend } from './dns-backend.ts';
import { gslb } from './gslb.ts';
import type { GslbKind } from './kind.ts';
import { monitor } from './monitor.ts';
import { member, pool } from './pool.ts';

export const gslbKinds: readonly GslbKind[] = [gslb, pool, member, monitor, flavor, vantagePoint, zone];
export const describedKinds: readonly GslbKind[] = [...gslbKinds, dnsBackend];
