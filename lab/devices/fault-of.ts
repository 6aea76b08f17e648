// The troubles of the simulated devices, as the faults of their writes.

import type { Fault, Faults } from '../../simulators/support/faults.ts';
import { lateMs, type Trouble } from '../device.ts';

const faultOf: Readonly<Record<Trouble, Fault | undefined>> = {
  hang: 'SILENT_AFTER_APPLYING',
  late: 'APPLY_LATE',
  drop: 'DROP_AFTER_APPLYING',
  refuse: 'FAIL',
  full: undefined,
  none: undefined,
};

/** From now on the fault affects every write. */
export function setFault(faults: Faults, trouble: Trouble): void {
  const fault = faultOf[trouble];
  faults.knobs.applyLateMs = lateMs;
  faults.knobs.probability = fault === undefined ? {} : { [fault]: 1 };
}
