// Elements without markup: text only ever goes in as text.

/**
 * A new element.
 *
 *     make("button", { class: "chip", type: "button", onclick: () => actions.tap(id) }, "Tap")
 *
 * A property whose name begins with `on` is a listener; true is an attribute without a value; false,
 * null and undefined are left out; the rest are attributes.
 *
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Readonly<Record<string, string | number | boolean | null | undefined | ((event: any) => void)>>} [properties]
 * @param {...(Node | string | null)} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (typeof value === "function") {
      element.addEventListener(name.slice(2), value);
    } else if (value === true) {
      element.setAttribute(name, "");
    } else if (value !== false && value !== null && value !== undefined) {
      element.setAttribute(name, String(value));
    }
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/**
 * An element of the page by its id; it is a defect if it is not there.
 *
 * @param {string} id
 * @returns {HTMLElement}
 */
export function byId(id) {
  const found = document.getElementById(id);
  if (found === null) {
    throw new Error(`the page has no #${id}`);
  }
  return found;
}

/**
 * Have these children, in this order. What stays is not moved: it may have the focus, which an element
 * loses that is taken out, even to be put back.
 *
 * @param {HTMLElement} parent
 * @param {readonly HTMLElement[]} wanted
 */
export function arrange(parent, wanted) {
  const kept = new Set(/** @type {readonly Element[]} */ (wanted));
  for (const child of [...parent.children]) {
    if (!kept.has(child)) {
      child.remove();
    }
  }
  for (const [index, child] of wanted.entries()) {
    const there = parent.children[index] ?? null;
    if (there !== child) {
      parent.insertBefore(child, there);
    }
  }
}

/**
 * Write a text only where it differs: what is unchanged is not laid out again.
 *
 * @param {Node} node
 * @param {string} text
 */
export function setText(node, text) {
  if (node.textContent !== text) {
    node.textContent = text;
  }
}
