import { readFileSync } from 'node:fs';

type Fields = Readonly<Record<string, unknown>>;

/** A module of a bundle in webpack's statistics. */
export type BundledModule = Readonly<{
  /** Its file, relative to the checkout, or ncc's placeholder if an import resolved to no file. */
  name: string;
  /** The file that imports it first. */
  issuer: string;
  /** The names under which other modules import it. */
  requests: readonly string[];
  providedExports: readonly string[];
  /** Undefined if webpack cannot tell, as for a package that is loaded with require(). */
  usedExports: readonly string[] | undefined;
}>;

/** A file of a bundle, by its number, and the imports that load it: `the module > what it imports`. */
export type BundledChunk = Readonly<{ id: string; imports: readonly string[] }>;

/** What webpack says about a bundle. */
export type BundleStats = Readonly<{
  warnings: readonly string[];
  modules: readonly BundledModule[];
  chunks: readonly BundledChunk[];
}>;

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null;
const listOf = (value: unknown): Fields[] => (Array.isArray(value) ? value.filter(isFields) : []);
const textsOf = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : []);

/** A module and the modules that webpack concatenated into it. */
function modulesOf(module: Fields): BundledModule[] {
  const { name, issuerName, reasons, providedExports, usedExports, modules } = module;
  const own = {
    name: String(name),
    issuer: String(issuerName),
    requests: listOf(reasons).map(({ userRequest }) => String(userRequest)),
    providedExports: textsOf(providedExports),
    // False means that nothing in the module is used.
    usedExports: usedExports === false || Array.isArray(usedExports) ? textsOf(usedExports) : undefined,
  };
  return [own, ...listOf(modules).flatMap(modulesOf)];
}

/** Reads the file that ncc writes with --stats-out. */
export function readBundleStats(file: string): BundleStats {
  const stats: unknown = JSON.parse(readFileSync(file, 'utf8'));
  const { warnings, modules, chunks } = isFields(stats) ? stats : {};
  return {
    warnings: listOf(warnings).map(({ moduleName, message }) => `${moduleName}: ${message}`),
    modules: listOf(modules).flatMap(modulesOf),
    chunks: listOf(chunks).map(({ id, origins }) => ({
      id: String(id),
      imports: listOf(origins).map(({ moduleName, request }) => `${moduleName} > ${request}`),
    })),
  };
}
