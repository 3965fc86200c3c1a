/** The page's one Trusted Types policy, which the Content-Security-Policy names. It lets scripts of this site run, and no others. */

interface Policy {
  createScriptURL(url: string): unknown;
}
interface Factory {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): Policy;
}

function own(url: string): string {
  if (new URL(url, location.href).origin !== location.origin) throw new TypeError("a script of another site");
  return url;
}

const factory = (globalThis as { trustedTypes?: Factory }).trustedTypes;
const policy = factory?.createPolicy("schedgen", { createScriptURL: own });

/** The address of a script of this site, in the form that the browser takes. */
export function scriptAddress(url: string): string {
  return (policy ? policy.createScriptURL(url) : own(url)) as string;
}
