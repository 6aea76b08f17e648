// Tests' devices are on this machine, which the egress policy denies by default.
import { egressFrom } from '../../../platform/net/egress.ts';

const allow = ['127.0.0.0/8', '::1'];

export const testEgress = egressFrom({ allow });

/** The same as settings. */
export const testEgressSettings = { 'egress.allow': allow.join(',') } as const;
