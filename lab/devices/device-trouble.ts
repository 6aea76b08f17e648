// The troubles of a device of the lab behind sshd, as faults of its own.

import { lateMs, type Trouble } from '../device.ts';
import type { DeviceFault, DeviceFaults } from '../device-faults.ts';

const faultOf: Readonly<Record<Trouble, DeviceFault | undefined>> = {
  hang: { hang: 'after' },
  late: { drop: 'late', delayBeforeMs: lateMs },
  drop: { drop: 'after' },
  refuse: { refuse: 'yes' },
  full: undefined,
  none: undefined,
};

export async function setTrouble(faults: DeviceFaults, trouble: Trouble): Promise<void> {
  const fault = faultOf[trouble];
  await faults.set(...(fault === undefined ? [] : [fault]));
}
