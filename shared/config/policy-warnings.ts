// What is allowed in a policy and hardly meant: said when a file is checked, and refused by nobody.

import { parseCidr } from "../domain/cidr.ts";
import { isUntyped } from "../domain/cloud-principal.ts";
import type { PolicyDocument } from "./document-schema.ts";
import type { PolicyMistake } from "./policy-schema.ts";

/** Everything that is doubtful in a checked document, in the shape of mistakes. */
export function policyWarnings(document: PolicyDocument): readonly PolicyMistake[] {
  return [...principalWarnings(document), ...writerWarnings(document)];
}

/** The same of a document that was checked, as JSON text. */
export const warningsOfText = (text: string): readonly PolicyMistake[] =>
  policyWarnings(JSON.parse(text) as PolicyDocument);

function principalWarnings({ trustedPrincipals }: PolicyDocument): readonly PolicyMistake[] {
  return trustedPrincipals.flatMap(({ principal }, index) =>
    isUntyped(principal)
      ? [
          {
            path: `trustedPrincipals[${index}].principal`,
            keys: ["trustedPrincipals", index, "principal"],
            what: `does not say of what ${principal} is the name, and is read as role/${principal}: a user of that name is not trusted`,
            remedy: `Write role/${principal} or user/${principal}.`,
          },
        ]
      : [],
  );
}

const FILL_IN =
  "Name the ranges that the service says it comes from in your region (of DTS its call WhiteIpList answers them, of DMS its console and help pages list them) or the accounts that own the groups its rules name.";

/** No ranges are shipped: they differ by region and change. */
function writerWarnings({ foreignWriters, groups, drift }: PolicyDocument): readonly PolicyMistake[] {
  const warnings: PolicyMistake[] = foreignWriters.flatMap(({ name, sources, ownerAccounts }, index) => {
    const field = { path: `foreignWriters[${index}]`, keys: ["foreignWriters", index, "name"] };
    if (sources.length + ownerAccounts.length === 0)
      return [
        { ...field, what: `knows no rule of ${name}: it has neither sources nor ownerAccounts`, remedy: FILL_IN },
      ];
    const wide = sources.filter((text) => {
      const cidr = parseCidr(text);
      return cidr !== null && cidr.prefix < (cidr.family === 4 ? drift.foreignWidthMax.v4 : drift.foreignWidthMax.v6);
    });
    return wide.length === 0
      ? []
      : [
          {
            ...field,
            what: `takes everything in ${wide.join(", ")} for ${name}'s, which is wider than drift.foreignWidthMax lets any single rule be`,
            remedy: "Name the service's own ranges: whoever comes from inside them is not rolled back.",
          },
        ];
  });
  const enforced = Object.entries(groups.guards).filter(([, guard]) => guard === "enforce");
  if (foreignWriters.length === 0 && enforced.length > 0)
    warnings.push({
      path: "foreignWriters",
      keys: ["foreignWriters"],
      what: `is empty, and none is shipped: what DMS, DTS, Bastionhost or ACK write into ${enforced.map(([name]) => name).join(", ")} is rolled back like anybody's`,
      remedy: `${FILL_IN} Until then let those groups be observed.`,
    });
  return warnings;
}
