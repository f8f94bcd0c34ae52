import type { Account } from './identities.ts';
import { errorReply, REFUSED, type Reply } from './replies.ts';

/** A pull request with its commits. The last commit is the head. */
export type PullRequest = Readonly<{
  number: number;
  commits: readonly string[];
  /** Default: open. */
  state?: 'open' | 'closed';
  isLocked?: boolean;
}>;

/** A stored comment. */
export type StoredComment = Readonly<{
  id: number;
  number: number;
  author: Account;
  body: string;
  createdAt: string;
  updatedAt: string;
}>;

const LONGEST_BODY = 65_536;
const MOST_PER_PAGE = 100;
const PER_PAGE = 30;

/** GitHub counts characters, not UTF-16 units. */
const countCharacters = (text: string): number => [...text].length;

const unprocessable = (message: string): Reply =>
  errorReply(422, 'Validation Failed', {
    errors: [{ resource: 'IssueComment', code: 'unprocessable', field: 'data', message }],
  });

/** The comment body in a request, or the error response if it is missing or invalid. */
function readBody(request: unknown): string | Reply {
  const body =
    typeof request === 'object' && request !== null && 'body' in request ? request.body : undefined;
  if (body === undefined) return errorReply(422, 'Invalid request.\n\n"body" wasn\'t supplied.');
  if (typeof body !== 'string')
    return errorReply(
      422,
      `Invalid request.\n\nFor 'properties/body', ${JSON.stringify(body)} is not a string.`,
    );
  if (body.trim() === '') return unprocessable('Body cannot be blank');
  if (countCharacters(body) > LONGEST_BODY)
    return unprocessable(`Body is too long (maximum is ${LONGEST_BODY} characters)`);
  return body;
}

const bounded = (text: string | null, standard: number): number => {
  const value = Number(text ?? Number.NaN);
  return Number.isInteger(value) && value > 0 ? value : standard;
};

/** One page of a list, and the Link header to the other pages. */
function paginate(items: readonly unknown[], url: URL): Reply {
  const perPage = Math.min(bounded(url.searchParams.get('per_page'), PER_PAGE), MOST_PER_PAGE);
  const page = bounded(url.searchParams.get('page'), 1);
  const last = Math.max(1, Math.ceil(items.length / perPage));
  const link = (rel: string, number: number): string => {
    const target = new URL(url);
    target.searchParams.set('page', String(number));
    return `<${target.href}>; rel="${rel}"`;
  };
  const links = [
    ...(page > 1 ? [link('prev', page - 1)] : []),
    ...(page < last ? [link('next', page + 1), link('last', last)] : []),
    ...(page > 1 ? [link('first', 1)] : []),
  ];
  const headers = links.length > 0 ? { link: links.join(', ') } : undefined;
  const body = items.slice((page - 1) * perPage, page * perPage);
  return { status: 200, body, ...(headers && { headers }) };
}

/** The pull requests of a repository and their comments. */
export class Repository {
  readonly #name: string;
  readonly #pullRequests: readonly PullRequest[];
  readonly #nextId: () => number;
  #comments: StoredComment[] = [];

  constructor(
    options: Readonly<{ name: string; pullRequests: readonly PullRequest[]; nextId: () => number }>,
  ) {
    this.#name = options.name;
    this.#pullRequests = options.pullRequests;
    this.#nextId = options.nextId;
  }

  commentsOn(number: number): readonly StoredComment[] {
    return this.#comments.filter((comment) => comment.number === number);
  }

  add(number: number, author: Account, body: string): StoredComment {
    const now = new Date().toISOString();
    const comment = { id: this.#nextId(), number, author, body, createdAt: now, updatedAt: now };
    this.#comments.push(comment);
    return comment;
  }

  list(number: number, url: URL): Reply {
    if (this.#find(number) === undefined) return REFUSED.notFound;
    return paginate(
      this.commentsOn(number).map((comment) => this.#describe(comment, url)),
      url,
    );
  }

  create(target: Readonly<{ number: number; author: Account; url: URL }>, request: unknown): Reply {
    const pullRequest = this.#find(target.number);
    if (pullRequest === undefined) return REFUSED.notFound;
    if (pullRequest.isLocked) return REFUSED.locked;
    const body = readBody(request);
    if (typeof body !== 'string') return body;
    const comment = this.add(target.number, target.author, body);
    const described = this.#describe(comment, target.url);
    return { status: 201, headers: { location: described.url }, body: described };
  }

  update(id: number, request: unknown, url: URL): Reply {
    const old = this.#comments.find((comment) => comment.id === id);
    if (old === undefined) return REFUSED.notFound;
    const body = readBody(request);
    if (typeof body !== 'string') return body;
    const changed = { ...old, body, updatedAt: new Date().toISOString() };
    this.#comments = this.#comments.map((comment) => (comment.id === id ? changed : comment));
    return { status: 200, body: this.#describe(changed, url) };
  }

  remove(id: number): Reply {
    if (!this.#comments.some((comment) => comment.id === id)) return REFUSED.notFound;
    this.#comments = this.#comments.filter((comment) => comment.id !== id);
    return { status: 204 };
  }

  pullRequestsOf(sha: string, url: URL): Reply {
    const found = this.#pullRequests.filter(({ commits }) => commits.includes(sha));
    if (found.length === 0 && !/^[0-9a-f]{40}$/.test(sha))
      return errorReply(422, `No commit found for SHA: ${sha}`);
    const described = found.map(({ number, state = 'open', commits, isLocked = false }) => ({
      url: `${url.origin}/repos/${this.#name}/pulls/${number}`,
      html_url: `https://github.com/${this.#name}/pull/${number}`,
      id: number,
      number,
      state,
      locked: isLocked,
      head: { ref: `branch-${number}`, sha: commits.at(-1) },
      base: { ref: 'main', repo: { full_name: this.#name } },
    }));
    return paginate(described, url);
  }

  #find(number: number): PullRequest | undefined {
    return this.#pullRequests.find((pullRequest) => pullRequest.number === number);
  }

  #describe(comment: StoredComment, { origin }: URL) {
    const { id, number, author, body, createdAt, updatedAt } = comment;
    const api = `${origin}/repos/${this.#name}/issues`;
    return {
      url: `${api}/comments/${id}`,
      html_url: `https://github.com/${this.#name}/pull/${number}#issuecomment-${id}`,
      issue_url: `${api}/${number}`,
      id,
      node_id: Buffer.from(`012:IssueComment${id}`).toString('base64'),
      user: {
        login: author.login,
        id: author.id,
        node_id: Buffer.from(`04:User${author.id}`).toString('base64'),
        avatar_url: `https://avatars.githubusercontent.com/u/${author.id}?v=4`,
        url: `${origin}/users/${encodeURIComponent(author.login)}`,
        html_url: `https://github.com/${author.login}`,
        type: author.type,
        site_admin: false,
      },
      created_at: createdAt,
      updated_at: updatedAt,
      body,
      author_association: author.type === 'Bot' ? 'NONE' : 'CONTRIBUTOR',
      performed_via_github_app: null,
    };
  }
}
