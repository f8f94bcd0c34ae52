import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { headersOf, listen } from '@aws-lambda-invoke/local-server';
import { deliver, type Fault, hasEffect } from './faults.ts';
import { Accounts, loginOf, type Token } from './identities.ts';
import { errorReply, REFUSED, type Reply } from './replies.ts';
import { type PullRequest, Repository, type StoredComment } from './repository.ts';

export { type Fault, primaryLimit, secondaryLimit } from './faults.ts';
export type { Token } from './identities.ts';
export type { Reply } from './replies.ts';
export type { PullRequest, StoredComment } from './repository.ts';

/** A received request. `path` has no query and no /api/v3. */
export type RecordedRequest = Readonly<{
  method: string;
  path: string;
  query: Readonly<Record<string, string>>;
  headers: Readonly<Record<string, string>>;
  isEnterprise: boolean;
  /** Parsed from JSON. Undefined if there is no body. */
  body: unknown;
}>;

/** Returns the fault for a request, if any. `n` counts requests from 0 and restarts with each setFault. */
export type FaultChooser = (request: RecordedRequest, n: number) => Fault | undefined;

/** Repositories by owner/name, and tokens by their text. */
export type LocalGitHubOptions = Readonly<{
  repositories: Readonly<Record<string, readonly PullRequest[]>>;
  tokens: Readonly<Record<string, Token>>;
  /** Default: any free port. */
  port?: number;
}>;

/** A running local GitHub. */
export type LocalGitHub = Readonly<{
  /** The value of GITHUB_API_URL on github.com. */
  url: string;
  /** The value of GITHUB_API_URL on an Enterprise Server. */
  enterpriseUrl: string;
  readonly requests: readonly RecordedRequest[];
  comments(repository: string, number: number): readonly StoredComment[];
  /** Adds a comment by any login, without a request. */
  addComment(
    comment: Readonly<{ repository: string; number: number; login: string; body: string }>,
  ): StoredComment;
  setFault(chooser: FaultChooser | undefined): void;
  close(): Promise<void>;
}>;

type Call = Readonly<{ request: RecordedRequest; url: URL; token: Token; match: readonly string[] }>;
type Route = Readonly<{ method: string; path: RegExp; reply: (service: Service, call: Call) => Reply }>;

const BROKEN = Symbol('a body that is not JSON');
const FIRST_COMMENT_ID = 3_000_000_001;

function parseBody(body: string): unknown {
  if (body === '') return undefined;
  try {
    return JSON.parse(body);
  } catch {
    return BROKEN;
  }
}

async function readRequest(message: IncomingMessage): Promise<RecordedRequest & { url: URL }> {
  const url = new URL(message.url ?? '/', `http://${message.headers.host ?? 'localhost'}`);
  return {
    method: message.method ?? 'GET',
    // GraphQL is at /graphql on github.com, at /api/graphql on an Enterprise Server.
    path: url.pathname.replace(/^\/api\/v3(?=\/)|^\/api(?=\/graphql$)/, ''),
    query: Object.fromEntries(url.searchParams),
    headers: headersOf(message),
    isEnterprise: url.pathname.startsWith('/api/'),
    body: parseBody(await text(message)),
    url,
  };
}

const notAccessible = ({ kind }: Token): Reply =>
  errorReply(403, `Resource not accessible by ${kind === 'user' ? 'personal access token' : 'integration'}`);

/** Simpler than GitHub, where users without write access can comment in public repositories. */
const withWrite = (call: Call, reply: () => Reply): Reply =>
  call.token.access === 'write' ? reply() : notAccessible(call.token);

const withRead = (call: Call, reply: () => Reply): Reply =>
  call.token.access === 'none' ? notAccessible(call.token) : reply();

const ROUTES: readonly Route[] = [
  {
    method: 'GET',
    path: /^\/user$/,
    reply: (service, { token }) =>
      token.kind === 'user'
        ? { status: 200, body: { ...service.accounts.of(token.login), site_admin: false } }
        : notAccessible(token),
  },
  {
    method: 'POST',
    path: /^\/graphql$/,
    reply: (_service, { token, request: { body } }) =>
      /\bviewer\s*\{\s*login\s*\}/.test(JSON.stringify(body))
        ? { status: 200, body: { data: { viewer: { login: loginOf(token) } } } }
        : { status: 200, body: { errors: [{ message: 'Only viewer { login } is supported here.' }] } },
  },
  {
    method: 'GET',
    path: /^\/repos\/([^/]+\/[^/]+)\/issues\/(\d+)\/comments$/,
    reply: (service, call) =>
      withRead(call, () =>
        service.in(call, (repository) => repository.list(Number(call.match[2]), call.url)),
      ),
  },
  {
    method: 'POST',
    path: /^\/repos\/([^/]+\/[^/]+)\/issues\/(\d+)\/comments$/,
    reply: (service, call) =>
      withWrite(call, () =>
        service.in(call, (repository) => {
          const author = service.accounts.of(loginOf(call.token));
          const target = { number: Number(call.match[2]), author, url: call.url };
          return repository.create(target, call.request.body);
        }),
      ),
  },
  {
    method: 'PATCH',
    path: /^\/repos\/([^/]+\/[^/]+)\/issues\/comments\/(\d+)$/,
    reply: (service, call) =>
      withWrite(call, () =>
        service.in(call, (repository) =>
          repository.update(Number(call.match[2]), call.request.body, call.url),
        ),
      ),
  },
  {
    method: 'DELETE',
    path: /^\/repos\/([^/]+\/[^/]+)\/issues\/comments\/(\d+)$/,
    reply: (service, call) =>
      withWrite(call, () => service.in(call, (repository) => repository.remove(Number(call.match[2])))),
  },
  {
    method: 'GET',
    path: /^\/repos\/([^/]+\/[^/]+)\/commits\/([^/]+)\/pulls$/,
    reply: (service, call) =>
      withRead(call, () =>
        service.in(call, (repository) => repository.pullRequestsOf(call.match[2] ?? '', call.url)),
      ),
  },
];

/** The state of one server. */
class Service {
  readonly accounts = new Accounts();
  readonly requests: RecordedRequest[] = [];
  readonly #repositories: ReadonlyMap<string, Repository>;
  readonly #tokens: ReadonlyMap<string, Token>;
  #faultChooser: FaultChooser | undefined;
  #requestCount = 0;

  constructor({ repositories, tokens }: LocalGitHubOptions) {
    let lastId = FIRST_COMMENT_ID - 1;
    const nextId = (): number => {
      lastId += 1;
      return lastId;
    };
    this.#repositories = new Map(
      Object.entries(repositories).map(([name, pullRequests]) => [
        name,
        new Repository({ name, pullRequests, nextId }),
      ]),
    );
    this.#tokens = new Map(Object.entries(tokens));
  }

  setFault(chooser: FaultChooser | undefined): void {
    this.#faultChooser = chooser;
    this.#requestCount = 0;
  }

  repository(name: string): Repository {
    const repository = this.#repositories.get(name);
    if (repository === undefined) throw new Error(`There is no repository ${name} here.`);
    return repository;
  }

  in({ match }: Call, reply: (repository: Repository) => Reply): Reply {
    const repository = this.#repositories.get(match[1] ?? '');
    return repository === undefined ? REFUSED.notFound : reply(repository);
  }

  async serve(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const { url, ...request } = await readRequest(message);
    this.requests.push(request);
    const fault = this.#faultChooser?.(request, this.#requestCount);
    this.#requestCount += 1;
    if (fault?.kind === 'hold' && fault.when === 'before') await fault.until;
    const reply = hasEffect(fault) ? this.#reply(request, url) : { status: 500 };
    if (fault?.kind === 'hold' && fault.when === 'after') await fault.until;
    await deliver(response, reply, { fault, url });
  }

  #reply(request: RecordedRequest, url: URL): Reply {
    const credentials = request.headers['authorization'];
    if (credentials === undefined) return REFUSED.noCredentials;
    const token = this.#tokens.get(credentials.replace(/^(?:token|bearer) /i, ''));
    if (token === undefined) return REFUSED.badCredentials;
    if (request.body === BROKEN) return REFUSED.badJson;
    for (const { method, path, reply } of ROUTES) {
      const match = method === request.method ? path.exec(request.path) : null;
      if (match) return reply(this, { request, url, token, match });
    }
    return REFUSED.notFound;
  }
}

/** Starts a local GitHub on a loopback port. Throws if the port is in use. */
export async function startLocalGitHub(options: LocalGitHubOptions): Promise<LocalGitHub> {
  const service = new Service(options);
  const server = createServer((message, response) => {
    // Only the connection can fail here: the client has disconnected, so no response can be sent.
    service.serve(message, response).catch(() => response.destroy());
  });
  const listening = await listen(server, { port: options.port });
  const url = `http://127.0.0.1:${listening.port}`;
  return {
    url,
    enterpriseUrl: `${url}/api/v3`,
    requests: service.requests,
    comments: (repository, number) => service.repository(repository).commentsOn(number),
    addComment: ({ repository, number, login, body }) =>
      service.repository(repository).add(number, service.accounts.of(login), body),
    setFault: (chooser) => service.setFault(chooser),
    close: () => listening.close(),
  };
}
