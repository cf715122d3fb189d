import findMyWay from 'find-my-way';
import { pathOf } from '../observe/secrets.ts';
import { badRequest, type ApiError } from '../reply/api-error.ts';
import { meantPath } from './meant-path.ts';
import { routeMethods, type Route } from './routes.ts';

/** Ids of responses that gateways make can be long. */
const MAX_ID_LENGTH = 4096;

/** More than any target has: it counts as a header, and those are limited. */
const NO_LIMIT = 2 ** 20;

/** The route of a request and what its path holds for `:id`, or why there is none. */
export type Found = { readonly route: Route; readonly id: string } | { readonly refusal: ApiError };

/** A table of routes to be asked. Why `find-my-way`: docs/decisions/0016-router.md. */
export class Router {
  readonly #paths = findMyWay({ maxParamLength: NO_LIMIT, onBadUrl: () => undefined });
  /** Each route is known by a function of its own. */
  readonly #byHandler = new Map<unknown, Route>();

  /** Those without a parameter. */
  readonly #plainPaths: readonly string[];

  constructor(routes: readonly Route[]) {
    this.#plainPaths = routes.map(({ path }) => path).filter((path) => !/[:*]/.test(path));
    for (const route of routes) {
      const handler = (): void => undefined;
      this.#byHandler.set(handler, route);
      this.#paths.on(route.method, route.path, handler);
    }
  }

  /** @param target - as it came: path and query, or a whole URL */
  find(method: string, target: string): Found {
    const known = routeMethods.find((one) => one === (method === 'HEAD' ? 'GET' : method));
    return (known === undefined ? undefined : this.#at(known, target)) ?? { refusal: this.#refusal(method, target) };
  }

  #at(method: Route['method'], target: string): Found | undefined {
    const found = this.#paths.find(method, target);
    if (found === null) return undefined;
    const route = this.#byHandler.get(found.handler);
    if (route === undefined) return { refusal: badRequest('this path cannot be read') }; // `onBadUrl`
    const id = found.params.id ?? found.params['*'];
    if (id === '') return undefined; // a slash at the end of `/responses/` names none
    return (id?.length ?? 0) > MAX_ID_LENGTH ? { refusal: tooLong() } : { route, id: id ?? '' };
  }

  /** RFC 9110, section 15.5.6: a 405 says which methods there are. */
  #refusal(method: string, target: string): ApiError {
    const path = target.split('?', 1)[0] ?? '';
    const methods = routeMethods.filter((one) => this.#at(one, target) !== undefined);
    if (methods.length === 0) {
      return badRequest(`there is no ${method} ${shown(path)} here${this.meant(path)}`, NOT_FOUND);
    }
    const allow = [...methods, ...(methods.includes('GET') ? ['HEAD'] : []), 'OPTIONS'].join(', ');
    const more = { status: 405, code: 'method_not_allowed', headers: { allow } };
    return badRequest(`${shown(path)} takes no ${method}, but ${allow}`, more);
  }

  /** The end of a sentence that says that a path is not there: what was probably meant, if there is a guess. */
  meant(path: string): string {
    const isServed = (one: string): boolean => routeMethods.some((method) => this.#isRoute(method, one));
    const meant = meantPath(path, this.#plainPaths, isServed);
    if (meant === undefined) return '';
    return `: did you mean ${shown(meant)}${/\/v1\/+v1\//.test(path) ? ', with one /v1 in the base URL' : ''}?`;
  }

  #isRoute(method: Route['method'], path: string): boolean {
    const found = this.#at(method, path);
    return found !== undefined && 'route' in found;
  }
}

const NOT_FOUND = { status: 404, code: 'not_found' };
/** Of a path that is told no more than this: it may be of any length. */
const SHOWN_CHARACTERS = 200;

/** A path may hold a key, by mistake. */
function shown(path: string): string {
  const clean = pathOf(path);
  return clean.length > SHOWN_CHARACTERS ? `${clean.slice(0, SHOWN_CHARACTERS)}…` : clean;
}

function tooLong(): ApiError {
  return badRequest(`the id in the path is longer than ${MAX_ID_LENGTH} characters`, { status: 414 });
}
