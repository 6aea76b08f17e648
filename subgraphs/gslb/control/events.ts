// The status events of GSLB entities.
import { columnOf, declareEvents } from '../../../platform/events/kinds.ts';
import { presenceValues } from '../../../platform/events/presence.ts';
import { adminStates, operatingStatuses, provisioningStatuses } from '../rules/states.ts';

/** Of the subjects, as `declareEvents` takes them. */
const names = {
  Gslb: columnOf('gslb', 'fqdn'),
  GslbPoolMember: columnOf('gslb_pool_member'),
  GslbVantagePoint: columnOf('gslb_vantage_point'),
  GslbNameServer: columnOf('gslb_name_server'),
};

export const gslbEvents = declareEvents(names, {
  'gslb.provisioningStatus': {
    subject: 'Gslb',
    values: provisioningStatuses,
    meaning: 'A change of a GSLB was requested, is answered by its name servers, or is late; `reason` has the cause.',
  },
  'gslb.operatingStatus': {
    subject: 'Gslb',
    values: operatingStatuses,
    meaning:
      'The operating status of a GSLB changed; `reason` has the cause if it is not fully up. It has none before the first verdict.',
  },
  'gslb.answer': {
    subject: 'Gslb',
    values: ['CHANGED', 'FROZEN', 'RELEASED'],
    meaning: 'The answer for name servers changed, was frozen, or follows the members again; `reason` has the cause.',
  },
  'gslbPoolMember.verdict': {
    subject: 'GslbPoolMember',
    values: ['UP', 'DOWN'],
    meaning: 'The vantage points agreed on another verdict; `gslbHistory` has every vote.',
  },
  'gslbPoolMember.operatingStatus': {
    subject: 'GslbPoolMember',
    values: operatingStatuses,
    meaning: 'Whether a member serves changed: because of its verdict, its failback, or an administrator.',
  },
  'gslbPoolMember.adminState': {
    subject: 'GslbPoolMember',
    values: adminStates,
    meaning: 'A person drained a member, forced it up or down, or gave it back to its checks; or that time is over.',
  },
  'gslbChecker.state': {
    subject: 'GslbVantagePoint',
    values: presenceValues,
    meaning:
      'A vantage point reports again, or no longer reports. FLAPPING: it comes and goes. The reason is its name, and since when it has not reported. Only administrators see this event.',
  },
  'gslbNameServer.state': {
    subject: 'GslbNameServer',
    values: presenceValues,
    meaning:
      'A name server reports again, or no longer reports. FLAPPING: it comes and goes. The reason is its name, and since when it has not reported. Only administrators see this event.',
  },
});
