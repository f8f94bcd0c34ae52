import { spawnSync } from 'node:child_process';

/** How long the router remembers an idle connection. */
export const FORGETS_AFTER_SECONDS = 6;

// Addresses for documentation (RFC 5737). They are not in use elsewhere and exist only in these namespaces.
const CLIENT = '192.0.2.2';
const INNER = '192.0.2.1';
const OUTER = '198.51.100.1';
/** The server's address for the client. */
export const SERVER_ADDRESS = '198.51.100.2';

// Packets of a forgotten connection are silently dropped in both directions.
const RULES = `
table ip nat {
  chain postrouting { type nat hook postrouting priority 100; oifname "outer" masquerade; }
}
table ip guard {
  chain prerouting { type filter hook prerouting priority -150; ct state invalid drop; }
}
`;

/** A client and a server with a NAT between them, each in a network namespace of its own. */
export type NatNetwork = Readonly<{
  /** Names of the namespaces, for `ip netns exec`. */
  client: string;
  server: string;
  /** Removes everything. Can be called after a partial setup, and more than once. */
  dispose(): void;
}>;

function run(command: string, args: readonly string[], input = ''): void {
  const done = spawnSync(command, args, { input, encoding: 'utf8', timeout: 10_000 });
  if (done.error) throw new Error(`no ${command} command: ${done.error.message}`);
  if (done.status !== 0) throw new Error(`${command} ${args.join(' ')}: ${done.stderr.trim()}`);
}

const ip = (line: string): void => run('ip', line.split(' '));

function build(names: Readonly<{ client: string; router: string; server: string }>): void {
  const { client, router, server } = names;
  for (const name of [client, router, server]) ip(`netns add ${name}`);
  ip(`link add eth0 netns ${client} type veth peer name inner netns ${router}`);
  ip(`link add eth0 netns ${server} type veth peer name outer netns ${router}`);
  for (const [name, device, address] of [
    [client, 'eth0', CLIENT],
    [router, 'inner', INNER],
    [router, 'outer', OUTER],
    [server, 'eth0', SERVER_ADDRESS],
  ] as const) {
    ip(`-n ${name} address add ${address}/24 dev ${device}`);
    ip(`-n ${name} link set ${device} up`);
    ip(`-n ${name} link set lo up`);
  }
  // The server can reach the client only through the NAT.
  ip(`-n ${client} route add default via ${INNER}`);
  run('ip', ['netns', 'exec', router, 'nft', '-f', '-'], RULES);
  for (const [file, value] of [
    ['ipv4/ip_forward', 1],
    ['netfilter/nf_conntrack_tcp_timeout_established', FORGETS_AFTER_SECONDS],
    // A packet in the middle of a connection does not create a new entry in the router.
    ['netfilter/nf_conntrack_tcp_loose', 0],
  ] as const) {
    run('ip', ['netns', 'exec', router, 'sh', '-c', `echo ${value} > /proc/sys/net/${file}`]);
  }
}

/** Creates the network, or throws and leaves nothing behind. */
export function makeNatNetwork(): NatNetwork {
  const named = (role: string): string => `nat-test-${process.pid}-${role}`;
  const names = { client: named('client'), router: named('router'), server: named('server') };
  const dispose = (): void => {
    for (const name of Object.values(names)) spawnSync('ip', ['netns', 'delete', name], { timeout: 10_000 });
  };
  try {
    build(names);
  } catch (error) {
    dispose();
    throw error;
  }
  return { client: names.client, server: names.server, dispose };
}

/** Why such a network can't be created here. Undefined if it can. */
export function reasonWithoutNat(): string | undefined {
  if (process.platform !== 'linux') return "network namespaces are Linux's";
  if (process.getuid?.() !== 0) return 'network namespaces need root';
  try {
    makeNatNetwork().dispose();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
