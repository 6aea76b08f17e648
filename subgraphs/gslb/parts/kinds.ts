// All kinds of GSLB objects.
import { flavor, vantagePoint, zone } from './administered.ts';
import { gslb } from './gslb.ts';
import type { GslbKind } from './kind.ts';
import { monitor } from './monitor.ts';
import { member, pool } from './pool.ts';

export const gslbKinds: readonly GslbKind[] = [gslb, pool, member, monitor, flavor, vantagePoint, zone];
