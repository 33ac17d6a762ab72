/** A few emission factors, kg CO₂e per unit. */
export const factors = [
  {
    id: "electricity-id",
    name: { en: "Electricity, Indonesia", id: "Listrik, Indonesia" },
    unit: "kWh",
    factor: 0.87,
  },
  {
    id: "electricity-fr",
    name: { en: "Electricity, France", id: "Listrik, Prancis" },
    unit: "kWh",
    factor: 0.056,
  },
  { id: "diesel", name: { en: "Diesel, burned", id: "Solar, dibakar" }, unit: "litre", factor: 2.68 },
  {
    id: "natural-gas",
    name: { en: "Natural gas, burned", id: "Gas alam, dibakar" },
    unit: "m3",
    factor: 2.02,
  },
] as const;

export type Language = "en" | "id";

export const units = ["kWh", "litre", "m3", "tonne-km"];

/** The input of a calculation: an amount in one factor's unit. */
export interface Calculation {
  factor: string;
  amount: number;
}

/** Kilograms of CO₂e; null when there is no such factor or the amount is not a number. */
export function calculate({ factor, amount }: Partial<Calculation>): number | null {
  const known = factors.find((each) => each.id === factor);
  return known && typeof amount === "number" && Number.isFinite(amount) ? known.factor * amount : null;
}
