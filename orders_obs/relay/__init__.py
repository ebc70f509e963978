"""SNS to people: a Lambda handler and a local server on the same code.

It takes messages of SNS, tells what they say in Slack or by a webhook, and depends on nothing of the package but its errors and what is
secret: the function in AWS is made of these modules and the standard library.
"""
