// The Debian or Ubuntu packages of the programs that Tidegate, its lab and its tests start.

const always = true;
const defaultLab = true;
const asRoot = true;
const library = (path) => [`/usr/lib/x86_64-linux-gnu/${path}`, `/usr/lib/aarch64-linux-gnu/${path}`];
const certificateParts = [
  ...['ha', 'openvswitch', 'neutron', 'apache', 'neo', 'onyx', 'fortigate', 'bigip'],
  ...['balancers', 'sites', 'clusters', 'inbox'],
];

/**
 * `places`: the package is installed if, for each group, one of the paths exists. `always`: every start needs it; `defaultLab`: the lab of
 * root, whatever parts it has; `parts`: those parts of the lab, with `asRoot` only if root starts it. Tests name what they need themselves
 * (tools/tests/tiers.mjs).
 */
export const PACKAGES = [
  {
    name: 'mariadb-server-core',
    ...{ always, parts: ['ha'], asRoot },
    places: [['/usr/sbin/mariadbd'], ['/usr/bin/mariadb-install-db']],
  },
  { name: 'mariadb-client-core', always, parts: ['ha'], asRoot, places: [['/usr/bin/my_print_defaults']] },
  {
    name: 'redis-tools',
    ...{ always, parts: ['ha'], asRoot },
    places: [['/usr/bin/redis-check-rdb', '/usr/bin/redis-server']],
  },
  { name: 'util-linux', always, places: [['/usr/bin/setpriv'], ['/usr/bin/flock'], ['/usr/bin/unshare']] },
  { name: 'openssh-server', defaultLab, places: [['/usr/sbin/sshd']] },
  { name: 'openssh-client', defaultLab, places: [['/usr/bin/ssh-keygen']] },
  { name: 'nftables', defaultLab, parts: ['ha'], asRoot, places: [['/usr/sbin/nft']] },
  {
    name: 'iproute2',
    ...{ defaultLab, parts: ['ha'], asRoot },
    places: [['/usr/bin/ip', '/usr/sbin/ip', '/sbin/ip']],
  },
  { name: 'iputils-ping', defaultLab, parts: ['ha'], asRoot, places: [['/usr/bin/ping', '/bin/ping']] },
  { name: 'curl', defaultLab, places: [['/usr/bin/curl']] },
  // It makes certificates.
  { name: 'openssl', parts: certificateParts, places: [['/usr/bin/openssl']] },
  {
    name: 'openvswitch-switch',
    ...{ parts: ['openvswitch'], asRoot },
    places: [['/usr/sbin/ovs-vswitchd'], ['/usr/sbin/ovsdb-server']],
  },
  { name: 'frr', parts: ['routers'], asRoot, places: [['/usr/lib/frr/zebra'], ['/usr/bin/vtysh']] },
  { name: 'iptables', places: [['/usr/sbin/iptables-restore']] },
  { name: 'netconfd', places: [['/usr/sbin/netconfd'], ['/usr/sbin/netconf-subsystem']] },
  { name: 'python3-ncclient', places: [['/usr/lib/python3/dist-packages/ncclient/__init__.py']] },
  { name: 'haproxy', parts: ['balancers'], places: [['/usr/sbin/haproxy']] },
  { name: 'keepalived', parts: ['balancers', 'ha'], asRoot, places: [['/usr/sbin/keepalived']] },
  { name: 'pdns-server', parts: ['balancers', 'sites'], places: [['/usr/sbin/pdns_server']] },
  {
    name: 'pdns-backend-sqlite3',
    parts: ['balancers', 'sites'],
    places: [library('pdns/libgsqlite3backend.so')],
  },
  { name: 'nginx-light', parts: ['balancers', 'sites'], places: [['/usr/sbin/nginx']] },
  { name: 'hey', parts: ['balancers'], places: [['/usr/bin/hey']] },
  // promtool checks the rules in docker/prometheus.
  { name: 'prometheus', places: [['/usr/bin/promtool']] },
  { name: 'bind9', places: [['/usr/sbin/named']] },
  { name: 'bind9-dnsutils', parts: ['balancers', 'sites'], places: [['/usr/bin/dig'], ['/usr/bin/delv']] },
  { name: 'knot', parts: ['sites'], places: [['/usr/sbin/knotd']] },
  { name: 'fping', parts: ['sites'], places: [['/usr/bin/fping']] },
  // A host of a pair: `tidegate ha init` and `join` install them.
  { name: 'etcd-server', parts: ['ha'], asRoot, places: [['/usr/bin/etcd']] },
  { name: 'mariadb-backup', parts: ['ha'], asRoot, places: [['/usr/bin/mariadb-backup']] },
  // The disks of the demo's hosts, their clocks, and the load's oracle.
  { name: 'e2fsprogs', parts: ['ha-demo'], asRoot, places: [['/usr/sbin/mkfs.ext4', '/sbin/mkfs.ext4']] },
  { name: 'mount', parts: ['ha-demo'], asRoot, places: [['/usr/bin/mount', '/bin/mount']] },
  { name: 'libfaketime', parts: ['ha-demo'], asRoot, places: [library('faketime/libfaketimeMT.so.1')] },
  // Its checks of units need no systemd that runs.
  { name: 'systemd', places: [['/usr/bin/systemd-analyze']] },
  { name: 'galera-4', places: [['/usr/lib/galera/libgalera_smm.so']] },
  { name: 'galera-arbitrator-4', places: [['/usr/bin/garbd']] },
  { name: 'collectd-core', places: [['/usr/sbin/collectd']] },
  // The images of docker/ are built and run.
  { name: 'docker.io', places: [['/usr/sbin/dockerd'], ['/usr/bin/docker']] },
  { name: 'docker-compose', places: [['/usr/bin/docker-compose']] },
  { name: 'debootstrap', places: [['/usr/sbin/debootstrap']] },
  { name: 'git', places: [['/usr/bin/git']] },
  { name: 'procps', places: [['/usr/bin/pgrep']] },
  { name: 'apache2-bin', parts: ['apache'], asRoot, places: [['/usr/sbin/apache2']] },
  {
    name: 'libapache2-mod-security2',
    ...{ parts: ['apache'], asRoot },
    places: [['/usr/lib/apache2/modules/mod_security2.so']],
  },
  { name: 'modsecurity-crs', parts: ['apache'], asRoot, places: [['/usr/share/modsecurity-crs/rules']] },
  // For Neutron and Keystone, which the lab unpacks by itself.
  { name: 'python3', parts: ['neutron'], places: [['/usr/bin/python3']] },
  {
    name: 'python3-distutils',
    parts: ['neutron'],
    places: [['/usr/lib/python3.11/distutils/core.py', '/usr/lib/python3/dist-packages/setuptools']],
  },
  { name: 'python3-netmiko', places: [['/usr/lib/python3/dist-packages/netmiko/__init__.py']] },
  // Clients of S3.
  { name: 'awscli', parts: ['clusters'], places: [['/usr/bin/aws']] },
  { name: 's3cmd', places: [['/usr/bin/s3cmd']] },
  { name: 'rclone', parts: ['clusters'], places: [['/usr/bin/rclone']] },
  { name: 'restic', places: [['/usr/bin/restic']] },
  { name: 'python3-cryptography', places: [['/usr/lib/python3/dist-packages/cryptography/__init__.py']] },
  { name: 'python3-boto3', places: [['/usr/lib/python3/dist-packages/boto3/__init__.py']] },
  // The clients in Python and Go.
  { name: 'python3-httpx', places: [['/usr/lib/python3/dist-packages/httpx/__init__.py']] },
  { name: 'mypy', places: [['/usr/bin/mypy']] },
  { name: 'golang-go', places: [['/usr/bin/go']] },
  { name: 'chromium', places: [['/usr/bin/chromium', '/usr/bin/google-chrome']] },
  { name: 'zsh', places: [['/usr/bin/zsh', '/bin/zsh']] },
  { name: 'fish', places: [['/usr/bin/fish']] },
  { name: 'bsdutils', places: [['/usr/bin/script']] },
];
