// The status events of GSLB objects.
import { declareEvents, type StatusEvent } from '../../platform/events/kinds.ts';
import { adminStates, operatingStatuses, provisioningStatuses } from './engine/states.ts';

export const gslbEvents = declareEvents({
  'gslb.provisioningStatus': {
    subject: 'Gslb',
    values: provisioningStatuses,
    meaning: 'A change of a GSLB was requested, is answered by its name servers, or is late; `reason` says why.',
  },
  'gslb.operatingStatus': {
    subject: 'Gslb',
    values: operatingStatuses,
    meaning:
      'What a GSLB answers changed; `reason` says why it is not fully up. A GSLB without a verdict has none yet.',
  },
  'gslb.answer': {
    subject: 'Gslb',
    values: ['CHANGED', 'FROZEN', 'RELEASED'],
    meaning: 'What name servers are to answer changed, was frozen, or follows its members again; `reason` says why.',
  },
  'gslbPoolMember.verdict': {
    subject: 'GslbPoolMember',
    values: ['UP', 'DOWN'],
    meaning: 'The vantage points agreed on another verdict; `gslbHistory` has every vote.',
  },
  'gslbPoolMember.operatingStatus': {
    subject: 'GslbPoolMember',
    values: operatingStatuses,
    meaning: 'What a member serves changed: by its verdict, its failback, or an administrator.',
  },
  'gslbPoolMember.adminState': {
    subject: 'GslbPoolMember',
    values: adminStates,
    meaning: 'A person drained a member, forced it up or down, or gave it back to its checks; or that time is over.',
  },
  'gslbChecker.state': {
    subject: 'GslbVantagePoint',
    values: ['PRESENT', 'ABSENT'],
    meaning: 'A vantage point is heard again, or no longer. Only administrators see this event.',
  },
  'gslbNameServer.state': {
    subject: 'GslbNameServer',
    values: ['PRESENT', 'ABSENT'],
    meaning: 'A name server is heard again, or no longer. Only administrators see this event.',
  },
});

export type GslbEvent = StatusEvent<typeof gslbEvents>;
