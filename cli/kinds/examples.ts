// Complete command lines for the help of registry verbs, by type and verb.

export const kindExamples: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  Project: { create: 'tidegate projects create shop --description "The shop."' },
  User: {
    create: 'tidegate users create alice --user-password-file alice.password',
    update: 'tidegate users update alice --enabled false',
  },
  Membership: { set: 'tidegate memberships set alice --project shop --role MEMBER' },
  ApiToken: { create: 'tidegate tokens create ci --project shop --role MEMBER --expires-at 2030-01-01' },
  GslbPool: { create: 'tidegate gslb-pools create web --min-up 1' },
  GslbPoolMember: { create: 'tidegate gslb-members create east --pool web --address 192.0.2.10' },
  GslbMonitor: { create: 'tidegate gslb-monitors create alive --check-type HTTPS --target-port 443' },
  DnsZone: { create: 'tidegate zones create example.test --right suffix=example.test,project=shop' },
  Gslb: { create: 'tidegate gslbs create www.example.test --pool web' },
};
