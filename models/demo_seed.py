"""The five scenarios that the demo starts with: one for each industry, with the numbers it typically shows."""

from typing import Any

DEMO_SCENARIOS: dict[str, Any] = {
    "key": ["industry", "scenario_name"],
    "rows": [
        {
            "industry": "financial",
            "scenario_name": "fraud_detection",
            "description": "Tuning fraud detection: decide on a payment before the customer notices the wait.",
            "prompt_template": (
                "{company_name} ({company_size}) scores every card payment for fraud before it is authorised. Find out "
                "where a decision spends its time and which payments are judged wrongly. Propose changes that bring "
                "latency down without letting more fraud through, and show latency and accuracy before and after."
            ),
            "optimization_scenarios": {
                "strategies": [
                    "Small model first, large model for doubtful payments",
                    "Cached features of cards and merchants",
                    "Decision threshold by amount and region",
                ]
            },
            "typical_metrics": {
                "baseline": {"latency_ms": 300, "accuracy": 0.85},
                "optimized": {"latency_ms": 100, "accuracy": 0.92},
            },
        },
        {
            "industry": "healthcare",
            "scenario_name": "diagnostic_ai",
            "description": "Tuning medical diagnosis: surer findings for clinicians, while the patient is in the room.",
            "prompt_template": (
                "{company_name} ({company_size}) supports clinicians with findings suggested from images and notes. "
                "Find out which cases are slow and which findings are missed. Propose changes that raise accuracy and "
                "shorten the wait, say where a clinician must confirm, and show latency and accuracy before and after."
            ),
            "optimization_scenarios": {
                "strategies": [
                    "Route by kind of examination to specialised models",
                    "Prepare images before the consultation",
                    "Second opinion for findings of low confidence",
                ]
            },
            "typical_metrics": {
                "baseline": {"latency_ms": 500, "accuracy": 0.88},
                "optimized": {"latency_ms": 200, "accuracy": 0.95},
            },
        },
        {
            "industry": "ecommerce",
            "scenario_name": "recommendation_engine",
            "description": "Tuning product suggestions: better suggestions, on the page before the shopper scrolls.",
            "prompt_template": (
                "{company_name} ({company_size}) suggests products on every page of its shop. Find out which "
                "suggestions come too late to be seen and which are seen but never bought. Propose changes that bring "
                "latency down and conversion up, and show both before and after."
            ),
            "optimization_scenarios": {
                "strategies": [
                    "Precomputed candidates for regular shoppers",
                    "Small model to rank, large model to explain",
                    "Shared cache for shoppers with the same basket",
                ]
            },
            "typical_metrics": {
                "baseline": {"latency_ms": 200, "conversion": 0.02},
                "optimized": {"latency_ms": 50, "conversion": 0.035},
            },
        },
        {
            "industry": "manufacturing",
            "scenario_name": "predictive_maintenance",
            "description": "Tuning maintenance forecasts: fewer surprises, and fewer machines stopped for nothing.",
            "prompt_template": (
                "{company_name} ({company_size}) forecasts failures of its machines from sensor readings. Find out "
                "which failures come without a warning and which warnings come without a failure. Propose changes that "
                "raise prediction accuracy and cut false positives, and show both before and after."
            ),
            "optimization_scenarios": {
                "strategies": [
                    "One model for each class of machine",
                    "Readings summarised at the machine",
                    "Alarms only after agreement of two signals",
                ]
            },
            "typical_metrics": {
                "baseline": {"prediction_accuracy": 0.75, "false_positives": 0.15},
                "optimized": {"prediction_accuracy": 0.9, "false_positives": 0.05},
            },
        },
        {
            "industry": "technology",
            "scenario_name": "code_generation",
            "description": "Tuning code assistants: code worth keeping, before the developer has turned to other work.",
            "prompt_template": (
                "{company_name} ({company_size}) gives its developers an assistant that writes code. Find out which "
                "requests take longest and which answers are thrown away. Propose changes that shorten generation and "
                "raise quality, and show generation time in milliseconds and quality score before and after."
            ),
            "optimization_scenarios": {
                "strategies": [
                    "Small model for completion, large model for design",
                    "Context limited to the files that matter",
                    "Prompts that share a cached beginning",
                ]
            },
            "typical_metrics": {
                "baseline": {"generation_time": 5000, "quality_score": 0.8},
                "optimized": {"generation_time": 1500, "quality_score": 0.92},
            },
        },
    ],
}
