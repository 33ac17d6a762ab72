/**
 * Under these anybody can have a name: so are the well-known hosts and tunnels of many tenants. It is not the whole Public
 * Suffix List, whose size a Worker cannot carry.
 */
const TENANTS =
  "github.io gitlab.io bitbucket.io workers.dev pages.dev r2.dev trycloudflare.com vercel.app vercel.dev now.sh netlify.app netlify.com " +
  "herokuapp.com web.app firebaseapp.com cloudfunctions.net azureedge.net " +
  "cloudfront.net amplifyapp.com onrender.com fly.dev deno.dev deno.net surge.sh glitch.me repl.co replit.app " +
  "railway.app up.railway.app ngrok-free.app ngrok-free.dev loca.lt stackblitz.io webcontainer.io codesandbox.io csb.app " +
  "blogspot.com wordpress.com myshopify.com wixsite.com webflow.io framer.app framer.website " +
  "bubbleapps.io lovable.app bolt.host hf.space streamlit.app zeabur.app koyeb.app code.run ondigitalocean.app readthedocs.io gitbook.io " +
  "notion.site carrd.co supabase.co convex.site edgeone.app translate.goog googleusercontent.com nip.io sslip.io " +
  "duckdns.org ddns.net hopto.org synology.me myds.me eu.org js.org is-a.dev uk.com us.com eu.com de.com co.com";

/** Hosts that name regions and services below them, at any depth. */
const CLOUDS =
  "elasticbeanstalk.com awsapprunner.com appspot.com azurewebsites.net azurestaticapps.net azurefd.net devtunnels.ms github.dev " +
  "ngrok.io ngrok.app ngrok.dev replit.dev gitpod.io pythonanywhere.com " +
  "amazonaws.com on.aws run.app windows.net azure.com cloudapp.net azurecontainerapps.io googleapis.com aliyuncs.com myqcloud.com " +
  "cloudflarestorage.com digitaloceanspaces.com linodeobjects.com backblazeb2.com oraclecloud.com";

/** What registries of countries sell names below: `co.uk`, `com.au`, `gov.in`. */
const SECOND_LEVEL =
  /^(ac|ad|adv|art|asn|biz|co|com|conf|ed|edu|ernet|fin|firm|gen|go|gob|gouv|gov|govt|gr|id|ind|inf|info|int|k12|lg|ltd|me|med|mi|mil|mod|muni|museum|name|ne|net|nhs|nic|nom|or|org|own|plc|police|pro|re|res|sch|school|tm|tv|web)$/;

const tenants: ReadonlySet<string> = new Set(TENANTS.split(" "));
const clouds = CLOUDS.split(" ");

/** Whether names directly below a domain may belong to anybody, as far as this file knows. @param domain In lower case. */
export function isPublicSuffix(domain: string): boolean {
  const labels = domain.split(".");
  const [first = "", last = ""] = labels;
  if (labels.length === 1 || tenants.has(domain)) return true;
  if (labels.length === 2 && last.length === 2 && SECOND_LEVEL.test(first)) return true;
  return clouds.some((cloud) => domain === cloud || domain.endsWith(`.${cloud}`));
}
