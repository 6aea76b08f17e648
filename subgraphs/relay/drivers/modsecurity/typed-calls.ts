// The typed mutations of web application firewalls as operations of this driver. It has no pools: Apache's own configuration
// routes requests.

import type { Driver } from '../driver.ts';
import type { Mode } from './schema.ts';

const modes: Readonly<Record<string, Mode>> = { BLOCKING: 'On', DETECTION: 'DetectionOnly', OFF: 'Off' };

export const typedCalls: Driver['typed'] = {
  wafModeSet({ policy, scope, mode }) {
    const wanted = modes[String(mode)];
    if (scope !== undefined || wanted === undefined) return undefined;
    return { operation: 'mode.set', arguments: { site: policy ?? '', mode: wanted } };
  },
};
